//! Layouts keep what a file says, and are the same the second time.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use proptest::prelude::*;

use super::*;

fn laid_out(text: &str) -> Result<String, Diagnostics> {
    let mut sources = Sources::default();
    let source = sources.add("main.toml", text.to_owned());
    lay_out(source, &sources)
}

/// Checks what becomes of a text, and that it stays so.
fn check(text: &str, expected: &str) {
    assert_eq!(laid_out(text).unwrap(), expected);
    assert_eq!(laid_out(expected).unwrap(), expected);
}

#[test]
fn equal_signs_are_aligned_up_to_a_blank_line() {
    check(
        "[vpc . main]\n\n  cidr_block='10.0.0.0/16'\n# why\nenable_dns_hostnames   =true\n\n\n\ntags={Name=\"x\" , b=[ ]}",
        "[vpc.main]\ncidr_block           = '10.0.0.0/16'\n# why\nenable_dns_hostnames = true\n\ntags = { Name = \"x\", b = [] }\n",
    );
}

#[test]
fn a_blank_line_stands_before_each_block_and_the_comments_above_it() {
    check("\n\n# a spec\n\n# a\n[a.b]\n# b\n\n[c.d]\nx=1\n# of e\n# too\n[e.f]  # why\n\n\n", {
        "# a spec\n\n# a\n[a.b]\n# b\n\n[c.d]\nx = 1\n\n# of e\n# too\n[e.f]  # why\n"
    });
    check("x = 1\n[[moved]]\nfrom = \"a\"\n", "x = 1\n\n[[moved]]\nfrom = \"a\"\n");
}

#[test]
fn lists_are_broken_if_they_are_long_or_their_author_wants_it() {
    check("a = [1,2 , 3,]", "a = [1, 2, 3]\n");
    check("a = [\n1,2\n]", "a = [\n  1,\n  2,\n]\n");
    check("a = [{\nb=1, c.d=[2]}]", "a = [\n  {\n    b = 1,\n    c.d = [2],\n  },\n]\n");
    let (one, other) = ("1".repeat(60), "2".repeat(60));
    check(&format!("a = ['{one}', '{other}']"), &format!("a = [\n  '{one}',\n  '{other}',\n]\n"));
    check("a = [[\n], {\n}]", "a = [[], {}]\n");
}

#[test]
fn comments_stay_where_they_are_and_keep_their_column() {
    check("a = 1         # one\nbcd = 2       # two\n", "a   = 1       # one\nbcd = 2       # two\n");
    check(
        "a = [ # of a\n  1,  # one\n\n\n  # of two\n  2 # two\n  , 3\n  # the end\n] # after",
        "a = [\n  # of a\n  1,  # one\n\n  # of two\n  2,  # two\n  3,\n  # the end\n]  # after\n",
    );
}

#[test]
fn texts_of_several_lines_and_foreign_line_breaks_stay() {
    check("a = \"\"\"\nx  =1\n\n\n  y\"\"\"\n", "a = \"\"\"\nx  =1\n\n\n  y\"\"\"\n");
    check("a=1\r\nbc=[\r\n1]\r\n", "a  = 1\r\nbc = [\r\n  1,\r\n]\r\n");
    check("", "");
    check("# only\n", "# only\n");
}

#[test]
fn what_is_no_toml_is_refused_with_its_place() {
    for text in ["a = ", "[a", "a = [1", "\u{feff}a = 1", "a = \"\"\"x"] {
        let problems = laid_out(text).unwrap_err();
        assert!(problems.iter().all(|problem| problem.span.is_some()), "{text}");
    }
    let deep = format!("a = {}", "[".repeat(100_000));
    assert!(laid_out(&deep).is_err());
}

#[test]
fn many_lines_take_time_in_proportion() {
    let text = "# comment\n".repeat(100_000) + &"\n".repeat(100_000) + &"[a]\n".replace('a', "x.y");
    let expected = "# comment\n".repeat(100_000) + "\n[x.y]\n";
    check(&text, &expected);
}

fn value() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        Just("true".to_owned()),
        Just("1979-05-27T07:32:00Z".to_owned()),
        Just("-inf".to_owned()),
        "-?[1-9][0-9]{0,5}(\\.[0-9]{1,3})?",
        "\"[a-z #\\[\\]{}=,$]{0,12}\"",
        "'[a-z #\\[\\]{}=,$\"]{0,70}'",
        "\"\"\"\n?[a-z #=\n]{0,12}\"\"\"",
        "'''[a-z #=\n]{0,12}'''",
    ];
    scalar.prop_recursive(4, 24, 5, |inner| {
        let gap = "( |\n|\n\n| # [a-z]{0,4}\n|\n# [a-z]{0,3}\n){0,2}";
        let items = prop::collection::vec((gap, inner, gap), 0..5);
        (items, gap, any::<bool>(), any::<bool>()).prop_map(|(items, end, comma, is_table)| {
            let count = items.len();
            let part = |(position, (before, value, after)): (usize, (String, String, String))| {
                let key = if is_table { format!("k{position}=") } else { String::new() };
                let comma = if position + 1 < count || comma { "," } else { "" };
                format!("{before}{key}{value}{after}{comma}")
            };
            let parts: String = items.into_iter().enumerate().map(part).collect();
            if is_table { format!("{{{parts}{end}}}") } else { format!("[{parts}{end}]") }
        })
    })
}

/// Makes a file: lines whose keys and headers are numbered, so that none comes twice.
fn file() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        3 => (" {0,2}", "( \\. \"x y\"|\\.b)?", " {0,3}", value(), "( {0,9}# [a-z]{0,5})?").prop_map(
            |(indent, rest, gap, value, comment)| format!("{indent}kN{rest}{gap}={gap}{value}{comment}")
        ),
        1 => "( {0,2}# [a-z\t]{0,9} {0,2})",
        1 => Just(String::new()),
        1 => "(\\[|\\[ )tN( )?(\\. 'q r')?\\]( # [a-z]{0,4})?",
        1 => "\\[\\[ ?lN\\.m\\]\\]",
    ];
    prop::collection::vec(line, 0..14).prop_map(|lines| {
        let number = |(position, line): (usize, String)| line.replace('N', &position.to_string()) + "\n";
        lines.into_iter().enumerate().map(number).collect()
    })
}

/// Returns the comments of a text in order.
fn comments(text: &str) -> Vec<String> {
    let source = toml_parser::Source::new(text);
    let comment = |token: toml_parser::lexer::Token| {
        (token.kind() == toml_parser::lexer::TokenKind::Comment)
            .then(|| text[token.span().start()..token.span().end()].trim_end().to_owned())
    };
    source.lex().filter_map(comment).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn data_and_comments_stay_and_a_second_time_changes_nothing(text in file()) {
        // That the data stays is checked by the code itself: it is an error otherwise.
        let once = laid_out(&text).map_err(|problems| TestCaseError::fail(format!("{problems:?}")))?;
        prop_assert_eq!(comments(&once), comments(&text));
        prop_assert_eq!(laid_out(&once).expect("it is TOML still"), once);
    }
}
