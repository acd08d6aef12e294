//! A sheet as SVG: with its own style for light and dark, and nothing that is loaded or run.

use std::fmt::Write;

use super::sheet::{Anchor, Shape, Sheet};
use super::text::Style;

/// What everything looks like. The colours of a theme are those of its mark.
const STYLE: &str = "\
    text { font-family: system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif; fill: #1f2328; \
pointer-events: none; }
    .heading { font-size: 18px; font-weight: 600; }
    text.place { font-size: 14px; font-weight: 600; }
    .name { font-size: 13px; font-weight: 600; }
    .small { font-size: 11px; fill: #59636e; }
    .label { fill: #ffffff; }
    .sheet { fill: #ffffff; }
    .account { fill: #f6f8fa; stroke: #8c959f; stroke-width: 1.5; }
    rect.place { fill: #ffffff; stroke: #6639ba; stroke-width: 1.5; }
    .lane { fill: #ddf4ff; stroke: #54aeff; }
    .lane.open { fill: #dafbe1; stroke: #4ac26b; }
    .frame { fill: #fff8f0; stroke: #e16f24; stroke-width: 1.5; }
    .card { fill: #ffffff; stroke: #afb8c1; }
    .found { stroke-dasharray: 6 4; }
    .band { fill: #8250df; fill-opacity: 0.14; }
    .share { fill: #fbefff; stroke: #8250df; }
    .internet { fill: #ffffff; stroke: #0969da; stroke-width: 1.5; }
    .foot { fill: #57606a; }
    .mark.network { fill: #6639ba; }
    .mark.compute { fill: #e16f24; }
    .mark.traffic { fill: #0969da; }
    .mark.identity { fill: #bf3989; }
    .mark.workload { fill: #1a7f37; }
    .mark.other { fill: #8c959f; }
    path.line { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
    path.line.traffic { stroke: #0969da; }
    path.line.admission { stroke: #6e7781; stroke-dasharray: 2 3; }
    path.line.trust { stroke: #bf3989; stroke-dasharray: 6 3; }
    path.head.traffic { fill: #0969da; }
    path.head.trust { fill: #bf3989; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3; }
      .small { fill: #9198a1; }
      .label { fill: #0d1117; }
      .sheet { fill: #0d1117; }
      .account { fill: #151b23; stroke: #656c76; }
      rect.place { fill: #0d1117; stroke: #a371f7; }
      .lane { fill: #0c2d4d; stroke: #316dca; }
      .lane.open { fill: #0f2f1c; stroke: #2ea043; }
      .frame { fill: #2a1d12; stroke: #db6d28; }
      .card { fill: #1c2128; stroke: #4b535d; }
      .band { fill: #a371f7; }
      .share { fill: #271f3a; stroke: #a371f7; }
      .internet { fill: #1c2128; stroke: #4493f8; }
      .foot { fill: #9198a1; }
      .mark.network { fill: #a371f7; }
      .mark.compute { fill: #db6d28; }
      .mark.traffic { fill: #4493f8; }
      .mark.identity { fill: #db61a2; }
      .mark.workload { fill: #3fb950; }
      path.line.traffic { stroke: #4493f8; }
      path.line.admission { stroke: #9198a1; }
      path.line.trust { stroke: #db61a2; }
      path.head.traffic { fill: #4493f8; }
      path.head.trust { fill: #db61a2; }
    }
";

/// How long and wide the head of an arrow is.
const HEAD: (i32, i32) = (9, 4);

/// Writes a sheet.
pub(super) fn svg(sheet: &Sheet, title: &str, description: &str) -> String {
    let (width, height) = (sheet.width, sheet.height);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" role=\"img\" aria-labelledby=\"title description\">\n"
    );
    let mut line = |line: &str| {
        text.push_str(line);
        text.push('\n');
    };
    line(&format!("  <title id=\"title\">{}</title>", escaped(title)));
    line(&format!("  <desc id=\"description\">{}</desc>", escaped(description)));
    line(&format!("  <style>\n{STYLE}  </style>"));
    line(&format!("  <rect class=\"sheet\" width=\"{width}\" height=\"{height}\"/>"));
    for shape in sheet.shapes() {
        line(&format!("  {}", element(shape)));
    }
    text + "</svg>\n"
}

fn element(shape: &Shape) -> String {
    match shape {
        Shape::Box { rect, radius, class, tooltip } => {
            let tag = format!(
                "rect class=\"{class}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"{radius}\"",
                rect.x, rect.y, rect.width, rect.height
            );
            explained(&tag, "rect", tooltip.as_deref())
        }
        Shape::Text { x, y, style, text, anchor, is_upright } => {
            written(*style, (*x, *y), text, *anchor, *is_upright)
        }
        Shape::Line { points, class, has_head, tooltip } => {
            let tag = format!("path class=\"line {class}\" d=\"{}\"", path(points, *has_head));
            let line = explained(&tag, "path", tooltip.as_deref());
            if *has_head { format!("{line}\n  {}", head(points, class)) } else { line }
        }
    }
}

fn written(style: Style, (x, y): (i32, i32), text: &str, anchor: Anchor, is_upright: bool) -> String {
    let class = style.class();
    let turned = if is_upright { format!(" transform=\"rotate(-90 {x} {y})\"") } else { String::new() };
    let anchor = match anchor {
        Anchor::Start => "",
        Anchor::Middle => " text-anchor=\"middle\"",
    };
    format!("<text class=\"{class}\" x=\"{x}\" y=\"{y}\"{anchor}{turned}>{}</text>", escaped(text))
}

fn explained(tag: &str, name: &str, tooltip: Option<&str>) -> String {
    match tooltip {
        Some(tooltip) => format!("<{tag}><title>{}</title></{name}>", escaped(tooltip)),
        None => format!("<{tag}/>"),
    }
}

/// Returns a way with round corners, which ends where its head begins.
fn path(points: &[(i32, i32)], has_head: bool) -> String {
    /// How round corners are.
    const ROUND: i32 = 6;
    let mut points = points.to_vec();
    if let (true, [.., before, last]) = (has_head, points.as_mut_slice()) {
        *last = towards(*last, *before, HEAD.0 - 1);
    }
    let mut text = String::new();
    for (number, point) in points.iter().enumerate() {
        let (x, y) = *point;
        match (number.checked_sub(1).map(|before| points[before]), points.get(number + 1)) {
            (None, _) => write!(text, "M{x} {y}"),
            (Some(_), None) => write!(text, " L{x} {y}"),
            (Some(before), Some(after)) => {
                let ((from_x, from_y), (to_x, to_y)) =
                    (towards(*point, before, ROUND), towards(*point, *after, ROUND));
                write!(text, " L{from_x} {from_y} Q{x} {y} {to_x} {to_y}")
            }
        }
        .expect("a text takes everything");
    }
    text
}

/// Returns the point that is some way from one towards another, or half way if that is nearer.
fn towards((x, y): (i32, i32), (other_x, other_y): (i32, i32), way: i32) -> (i32, i32) {
    let step = |from: i32, to: i32| from + (to - from).signum() * way.min((to - from).abs() / 2);
    (step(x, other_x), step(y, other_y))
}

fn head(points: &[(i32, i32)], class: &str) -> String {
    let [.., (from_x, from_y), (x, y)] = points else { return String::new() };
    let (across, down) = ((x - from_x).signum(), (y - from_y).signum());
    let (back_x, back_y) = (x - across * HEAD.0, y - down * HEAD.0);
    let (side_x, side_y) = (down * HEAD.1, across * HEAD.1);
    format!(
        "<path class=\"head {class}\" d=\"M{x} {y} L{} {} L{} {} Z\"/>",
        back_x + side_x,
        back_y + side_y,
        back_x - side_x,
        back_y - side_y
    )
}

/// Writes what would be taken for a tag, and what is not allowed in XML, in another way.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push('\n'),
            _ if character.is_control() || matches!(character, '\u{fffe}' | '\u{ffff}') => {
                escaped.push('\u{fffd}');
            }
            _ => escaped.push(character),
        }
    }
    escaped
}
