//! Statistics of the figures of several rounds.

/// Median and range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    pub(crate) least: f64,
    pub(crate) median: f64,
    pub(crate) most: f64,
}

impl Spread {
    /// Computes median and range; `None` without figures.
    pub(crate) fn of(figures: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = figures.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let (&least, &most) = (sorted.first()?, sorted.last()?);
        let (below, above) = (sorted.get((sorted.len() - 1) / 2)?, sorted.get(sorted.len() / 2)?);
        Some(Self { least, median: f64::midpoint(*below, *above), most })
    }

    /// Computes median and range of `a / b` for each round, so that a disturbance of a whole round cancels out.
    pub(crate) fn of_ratios(a: &[f64], b: &[f64]) -> Option<Self> {
        Self::of(a.iter().zip(b).map(|(a, b)| a / b))
    }
}

/// Returns the exponent `e` of the best power law `y = c * x^e` (least squares of the logarithms): 1 is linear, 0 constant.
pub(crate) fn exponent(points: &[(f64, f64)]) -> Option<f64> {
    let logs: Vec<(f64, f64)> = points.iter().map(|(x, y)| (x.ln(), y.ln())).collect();
    let count = f64::from(u32::try_from(logs.len()).ok()?);
    let (mean_x, mean_y) =
        (logs.iter().map(|log| log.0).sum::<f64>() / count, logs.iter().map(|log| log.1).sum::<f64>() / count);
    let covariance: f64 = logs.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let variance: f64 = logs.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    (variance > 0.0).then(|| covariance / variance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spreads() {
        #[track_caller]
        fn check(figures: &[f64], expected: Option<[f64; 3]>) {
            let expected = expected.map(|[least, median, most]| Spread { least, median, most });
            assert_eq!(Spread::of(figures.iter().copied()), expected);
        }
        check(&[], None);
        check(&[2.0], Some([2.0, 2.0, 2.0]));
        check(&[3.0, 1.0, 2.0], Some([1.0, 2.0, 3.0]));
        check(&[4.0, 1.0, 2.0, 3.0], Some([1.0, 2.5, 4.0]));
    }

    #[test]
    fn ratios_are_those_of_the_same_round() {
        let spread = Spread::of_ratios(&[2.0, 20.0], &[1.0, 10.0]);
        assert_eq!(spread, Some(Spread { least: 2.0, median: 2.0, most: 2.0 }));
    }

    #[test]
    fn exponents() {
        #[track_caller]
        fn check(points: &[(f64, f64)], expected: Option<f64>) {
            let found = exponent(points).map(|exponent| (exponent * 1e6).round() / 1e6);
            assert_eq!(found, expected);
        }
        check(&[(1.0, 3.0), (10.0, 30.0), (100.0, 300.0)], Some(1.0));
        check(&[(1.0, 5.0), (10.0, 5.0)], Some(0.0));
        check(&[(2.0, 4.0), (3.0, 9.0), (5.0, 25.0)], Some(2.0));
        check(&[(1.0, 1.0)], None);
        check(&[], None);
    }
}
