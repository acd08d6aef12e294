//! Graphs in each form, with names that try to break out of it.

use snapbox::{IntoData, assert_data_eq, str};

use super::*;

fn node(block: &str, action: Option<Action>) -> Node {
    Node { account: AccountName::new("network"), block: block.to_owned(), count: 1, action }
}

/// Returns a picture with names that mean something in both languages.
fn picture() -> Picture {
    let hostile = "vpc.a['\"]; x --> y \\N <b>`#`\n\u{202e}']";
    let edge = |from: &str, to: &str| (from.to_owned(), to.to_owned());
    Picture {
        stack: "shop".to_owned(),
        accounts: BTreeMap::from([(AccountName::new("network"), "network 1 \"here\"".to_owned())]),
        nodes: BTreeMap::from([
            ("eip.b".to_owned(), node("eip.b", Some(Action::Create))),
            (hostile.to_owned(), node("vpc.a", Some(Action::Delete))),
            ("vpc.a['b']".to_owned(), node("vpc.a", None)),
        ]),
        edges: BTreeMap::from([
            (edge("eip.b", hostile), Reason::Boundary),
            (edge("eip.b", "vpc.a['b']"), Reason::DependsOn),
            (edge("vpc.a['b']", hostile), Reason::Part),
        ]),
    }
}

#[test]
fn names_are_quoted_for_graphviz() {
    assert_data_eq!(
        dot(&picture()),
        str![[r##"
digraph "shop" {
  graph [rankdir = "LR", fontname = "sans-serif"]
  node [shape = "box", style = "rounded,filled", fillcolor = "white", fontname = "sans-serif"]
  subgraph "cluster_0" {
    label = "network 1 \"here\""
    n0 [label = "eip.b", fillcolor = "#b7e4b7", tooltip = "create"]
    subgraph "cluster_0_1" {
      graph [label = "vpc.a", style = "dashed"]
      n1 [label = "vpc.a['\"]; x --> y \\N <b>`#`\\n\\u{202e}']", fillcolor = "#f4b6b6", tooltip = "delete"]
      n2 [label = "vpc.a['b']"]
    }
  }
  n0 -> n1 [label = "boundary", style = "bold", color = "#c05000"]
  n0 -> n2 [label = "depends_on", style = "dashed"]
  n2 -> n1 [style = "dotted", arrowhead = "none"]
}

"##]]
        .raw()
    );
}

#[test]
fn names_are_quoted_for_mermaid() {
    assert_data_eq!(
        mermaid(&picture()),
        str![[r#"
flowchart LR
  subgraph a0["network 1 #34;here#34;"]
    n0["eip.b"]
    subgraph b0_1["vpc.a"]
      n1["vpc.a['#34;]#59; x --#62; y #92;N #60;b#62;#96;#35;#96;#92;n#92;u#123;202e#125;']"]
      n2["vpc.a['b']"]
    end
  end
  n0 == boundary ==> n1
  n0 -. depends_on .-> n2
  n2 -.- n1
  classDef create fill:#b7e4b7,color:#000
  class n0 create
  classDef delete fill:#f4b6b6,color:#000
  class n1 delete

"#]]
        .raw()
    );
}
