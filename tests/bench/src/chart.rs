//! Draws the chart of `docs/performance.md`: the speed relative to each peer, with range and aim, on a logarithmic axis.

use anyhow::Result;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::outcome::{Bound, Outcome, Verdict, number};

const WIDTH: u32 = 940;
const TOP: u32 = 54;
const ROW: u32 = 30;
const BELOW: u32 = 40;
/// The width of the names, which are left of the axis.
const LEFT: u32 = 430;
const RIGHT: u32 = 160;

/// Colours that are readable on light and dark backgrounds.
const TEXT: RGBColor = RGBColor(0x80, 0x88, 0x90);
const BAR: RGBColor = RGBColor(0x2f, 0x81, 0xf7);
const AIM: RGBColor = RGBColor(0xd2, 0x65, 0x1b);

/// The SVG document.
pub(crate) fn draw(outcomes: &[Outcome]) -> Result<String> {
    let verdicts = outcomes.iter().flat_map(|outcome| &outcome.verdicts);
    let rows: Vec<(&Verdict, f64)> = verdicts
        .filter_map(|verdict| match verdict.bound {
            Bound::AtLeast(aim) => Some((verdict, aim)),
            Bound::AtMost(_) | Bound::NeverAbove(_) => None,
        })
        .collect();
    let figures = || rows.iter().flat_map(|(verdict, aim)| [verdict.found.least, verdict.found.most, *aim]);
    // The axis begins and ends at a power of ten, and includes 1.
    let least = 10_f64.powf(figures().fold(1.0, f64::min).log10().floor());
    let most = 10_f64.powf(figures().fold(10.0, f64::max).log10().ceil());
    let count = u32::try_from(rows.len())?;

    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (WIDTH, TOP + ROW * count + BELOW)).into_drawing_area();
        let font = ("sans-serif", 13).into_font().color(&TEXT);
        root.draw(&Text::new("Times as fast as the peer", (16, 10), ("sans-serif", 16).into_font().color(&TEXT)))?;
        let legend = "Bar: median of the rounds, in each both programs in turn; thin line: range; upright mark: aim";
        root.draw(&Text::new(legend, (16, 32), font.clone()))?;
        let mut chart = ChartBuilder::on(&root)
            .margin_top(TOP)
            .set_label_area_size(LabelAreaPosition::Left, LEFT)
            .set_label_area_size(LabelAreaPosition::Bottom, BELOW)
            .margin_right(RIGHT)
            .build_cartesian_2d((least..most).log_scale(), 0.0..f64::from(count))?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .disable_y_axis()
            .light_line_style(TRANSPARENT)
            .bold_line_style(TEXT.mix(0.3))
            .axis_style(TEXT)
            .x_labels(4)
            .x_label_formatter(&|times| format!("{times} ×"))
            .label_style(font.clone())
            .draw()?;
        let mut middle = f64::from(count) - 0.5;
        let mut y = i32::try_from(TOP + ROW / 2)?;
        for (verdict, aim) in rows {
            let found = verdict.found;
            let upright = |x: f64, height: f64| vec![(x, middle - height), (x, middle + height)];
            let bar = [(1.0, middle - 0.25), (found.median, middle + 0.25)];
            chart.draw_series([Rectangle::new(bar, BAR.filled())])?;
            chart.draw_series(LineSeries::new([(found.least, middle), (found.most, middle)], TEXT))?;
            chart.draw_series(LineSeries::new(upright(aim, 0.4), AIM.stroke_width(3)))?;
            let label = |position| font.pos(Pos::new(position, VPos::Center));
            let what = format!("{}  {}", verdict.benchmark, verdict.what);
            root.draw(&Text::new(what, (16, y), label(HPos::Left)))?;
            let figure = format!("{} × (aim {})", number(found.median), number(aim));
            root.draw(&Text::new(figure, (i32::try_from(WIDTH)? - 16, y), label(HPos::Right)))?;
            middle -= 1.0;
            y += i32::try_from(ROW)?;
        }
        root.present()?;
    }
    Ok(svg)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Spread;

    #[test]
    fn a_row_for_each_comparison() {
        let verdict = |what: &str, bound| {
            let found = Spread { least: 20.0, median: 25.0, most: 31.0 };
            Verdict { benchmark: "P1", what: what.to_owned(), found, bound, unit: " ×" }
        };
        let verdicts = vec![verdict("against <curl>", Bound::AtLeast(30.0)), verdict("peak", Bound::AtMost(1.0))];
        let outcome = Outcome { verdicts, ..Outcome::new("P1", "") };
        let svg = draw(&[outcome]).unwrap();
        assert!(svg.contains("against &lt;curl&gt;") && svg.contains("25 × (aim 30)"), "{svg}");
        assert!(!svg.contains("peak"), "{svg}");
        assert!(draw(&[]).is_ok());
    }
}
