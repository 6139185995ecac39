//! The chart of `docs/performance.md`: how many times as fast as each peer, with range and aim, on a logarithmic axis.

use std::fmt::Write;

use super::outcome::{Bound, Outcome, Verdict, number};

const WIDTH: f64 = 940.0;
/// Where the axis begins and ends; the words stand left of it, the numbers right.
const LEFT: f64 = 440.0;
const RIGHT: f64 = 790.0;
const TOP: f64 = 62.0;
const ROW: f64 = 30.0;
const GRID: [f64; 8] = [0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 1000.0];

/// Readable on light and on dark ground: the page decides which.
const STYLE: &str = "\
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600; font-size: 15px }
.soft { fill: #59636e; font-size: 12px }
.grid { stroke: #d1d9e0 }
.one { stroke: #59636e }
.bar { fill: #0969da }
.range { stroke: #1f2328; stroke-width: 1.5 }
.aim { stroke: #bc4c00; stroke-width: 3 }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc }
  .soft { fill: #9198a1 }
  .grid { stroke: #3d444d }
  .one { stroke: #9198a1 }
  .bar { fill: #4493f8 }
  .range { stroke: #f0f6fc }
  .aim { stroke: #f0883e }
}
";

/// `None` where nothing was compared.
pub(super) fn draw(outcomes: &[Outcome]) -> Option<String> {
    let verdicts = outcomes.iter().flat_map(|outcome| &outcome.verdicts);
    let rows: Vec<(&Verdict, f64)> = verdicts
        .filter_map(|verdict| match verdict.bound {
            Bound::AtLeast(aim) => Some((verdict, aim)),
            Bound::AtMost(_) | Bound::NeverAbove(_) => None,
        })
        .collect();
    let ends = |end: fn(f64, f64) -> f64| {
        rows.iter().flat_map(|(verdict, aim)| [verdict.found.least, verdict.found.most, *aim]).reduce(end)
    };
    let axis = Axis::over(ends(f64::min)?, ends(f64::max)?);
    let mut svg = Svg(String::new());
    let mut y = TOP;
    let bottom = TOP + ROW * rows.iter().fold(0.0, |count, _| count + 1.0);
    svg.text(16.0, 26.0, "title", "start", "Times as fast as the peer");
    svg.text(
        16.0,
        44.0,
        "soft",
        "start",
        "Median of the rounds, in each both programs in turn; thin line: range; upright mark: aim",
    );
    for mark in GRID.into_iter().filter(|mark| axis.holds(*mark)) {
        let class = if (mark - 1.0).abs() < 1e-9 { "one" } else { "grid" };
        svg.line((axis.x(mark), TOP), (axis.x(mark), bottom), class);
        svg.text(axis.x(mark), bottom + 18.0, "soft", "middle", &format!("{mark} ×"));
    }
    for (verdict, aim) in rows {
        let middle = y + ROW / 2.0;
        svg.text(16.0, middle + 4.0, "", "start", &format!("{}  {}", verdict.benchmark, verdict.what));
        let found = verdict.found;
        let (one, median) = (axis.x(1.0), axis.x(found.median));
        svg.bar(one.min(median), middle - 7.0, (one - median).abs(), 14.0);
        svg.line((axis.x(found.least), middle), (axis.x(found.most), middle), "range");
        svg.line((axis.x(aim), middle - 11.0), (axis.x(aim), middle + 11.0), "aim");
        svg.text(WIDTH - 16.0, middle + 4.0, "", "end", &format!("{} × (aim {})", number(found.median), number(aim)));
        y += ROW;
    }
    let height = bottom + 34.0;
    Some(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-label=\"Times as fast as the peer\">\n<style>\n{STYLE}</style>\n{}</svg>\n",
        svg.0
    ))
}

/// Logarithmic, from one mark of the grid to another, with 1 on it.
struct Axis {
    least: f64,
    most: f64,
}

impl Axis {
    fn over(least: f64, most: f64) -> Self {
        let below = GRID.into_iter().rev().find(|mark| *mark <= least.min(1.0));
        let above = GRID.into_iter().find(|mark| *mark >= most.max(1.0));
        Self { least: below.unwrap_or(least), most: above.unwrap_or(most) }
    }

    fn holds(&self, value: f64) -> bool {
        (self.least..=self.most).contains(&value)
    }

    fn x(&self, value: f64) -> f64 {
        LEFT + (RIGHT - LEFT) * (value / self.least).ln() / (self.most / self.least).ln()
    }
}

struct Svg(String);

/// Writing to a string does not fail.
impl Svg {
    fn text(&mut self, x: f64, y: f64, class: &str, anchor: &str, text: &str) {
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        let _ = writeln!(
            self.0,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"{class}\" text-anchor=\"{anchor}\" xml:space=\"preserve\">{text}</text>"
        );
    }

    fn line(&mut self, from: (f64, f64), to: (f64, f64), class: &str) {
        let ((x1, y1), (x2, y2)) = (from, to);
        let _ =
            writeln!(self.0, "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" class=\"{class}\"/>");
    }

    fn bar(&mut self, x: f64, y: f64, width: f64, height: f64) {
        let _ = writeln!(
            self.0,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"2\" class=\"bar\"/>"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::Axis;

    #[test]
    fn the_axis_ends_on_marks_and_holds_one() {
        #[track_caller]
        fn check(least: f64, most: f64, expected: (f64, f64)) {
            let axis = Axis::over(least, most);
            assert_eq!((axis.least, axis.most), expected);
        }
        check(3.0, 31.0, (1.0, 100.0));
        check(0.7, 0.9, (0.3, 1.0));
        check(1.0, 1.0, (1.0, 1.0));
        check(0.01, 5000.0, (0.01, 5000.0));
    }
}
