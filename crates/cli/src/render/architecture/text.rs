//! How wide text is, and what is left of it where there is no room for all.
//!
//! No font is loaded with the picture, so that nobody knows how wide its text will be. The widths are those
//! of Helvetica, which most fonts without serifs are close to, and some more for those that are wider.

/// How many thousandths of the size each character from space to tilde is wide.
#[rustfmt::skip]
const WIDTHS: [i32; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556,
    556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667,
    556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556,
    556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722,
    500, 500, 500, 334, 260, 334, 584,
];
/// As wide as characters get that are not in the table, such as Chinese ones.
const WIDEST: i32 = 1000;
/// How much wider a font may be, in percent.
const MARGIN: i32 = 16;
/// Stands for what there is no room for.
const ELLIPSIS: char = '…';

/// How text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// The name of the whole.
    Heading,
    /// The name of an account or a network.
    Place,
    /// The name of a thing.
    Name,
    /// Whatever else is told.
    Small,
}

impl Style {
    /// Returns its class in the picture.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Heading => "heading",
            Self::Place => "place",
            Self::Name => "name",
            Self::Small => "small",
        }
    }

    /// Returns the size in pixels.
    pub(super) fn size(self) -> i32 {
        match self {
            Self::Heading => 18,
            Self::Place => 14,
            Self::Name => 13,
            Self::Small => 11,
        }
    }

    /// Bold text is wider, in percent.
    fn weight(self) -> i32 {
        match self {
            Self::Heading | Self::Place | Self::Name => 112,
            Self::Small => 100,
        }
    }
}

/// Returns how wide a text is at most, in pixels.
pub(super) fn width(text: &str, style: Style) -> i32 {
    let thousandths: i64 = text.chars().map(|character| i64::from(advance(character))).sum();
    let scaled = thousandths * i64::from(style.size() * style.weight()) * i64::from(100 + MARGIN);
    i32::try_from(scaled / 10_000_000 + 1).unwrap_or(i32::MAX)
}

/// Returns as much of a text as there is room for.
pub(super) fn shorten(text: &str, style: Style, room: i32) -> String {
    if width(text, style) <= room {
        return text.to_owned();
    }
    let mut shortened = String::new();
    for character in text.chars() {
        shortened.push(character);
        shortened.push(ELLIPSIS);
        let fits = width(&shortened, style) <= room;
        shortened.pop();
        if !fits {
            shortened.pop();
            break;
        }
    }
    let mut shortened = shortened.trim_end_matches([' ', ',', '·']).to_owned();
    shortened.push(ELLIPSIS);
    shortened
}

fn advance(character: char) -> i32 {
    let index =
        u32::from(character).checked_sub(u32::from(' ')).and_then(|index| usize::try_from(index).ok());
    index.and_then(|index| WIDTHS.get(index)).copied().unwrap_or(WIDEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_left_as_it_is_and_what_does_not_is_shortened_to_the_room() {
        let room = width("subnet.public", Style::Small);
        assert_eq!(shorten("subnet.public", Style::Small, room), "subnet.public");
        let short = shorten("subnet.public.and.more", Style::Small, room);
        assert!(short.starts_with("subnet.p") && short.ends_with(ELLIPSIS), "{short}");
        assert!(width(&short, Style::Small) <= room);
        assert_eq!(shorten("abc, defghij", Style::Small, width("abc, d", Style::Small)), "abc…");
        assert_eq!(shorten("anything", Style::Name, 0), "…");
    }

    #[test]
    fn wide_characters_are_wide_and_bold_ones_wider() {
        assert!(width("網路", Style::Small) > width("ab", Style::Small));
        assert!(width("i", Style::Small) < width("w", Style::Small));
        assert!(width("name", Style::Name) > width("name", Style::Small));
        assert_eq!(WIDTHS[usize::from(b'~' - b' ')], 584);
    }
}
