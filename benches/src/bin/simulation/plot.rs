//! Lines over time, as SVG.

use std::fmt::Write as _;

/// One line.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub name: &'static str,
    /// One value for each hour.
    pub values: Vec<f64>,
}

/// How the values are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scale {
    Linear,
    /// Each line of the grid is ten times the one below; what is below one is at the bottom.
    Logarithmic,
}

const WIDTH: f64 = 800.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 30.0;

/// Colours that the colour-blind can tell apart (Okabe and Ito).
const COLOURS: [&str; 4] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7"];

/// A picture of some lines.
pub(crate) fn plot(title: &str, unit: &str, scale: Scale, lines: &[Line]) -> String {
    let hours = lines.iter().map(|line| line.values.len()).max().unwrap_or(1);
    let most = lines.iter().flat_map(|line| &line.values).copied().fold(1.0, f64::max);
    let axis = Axis { scale, top: round_up(most, scale), hours };
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n\
         <text x=\"{LEFT}\" y=\"15\" font-weight=\"bold\">{title}, {unit}</text>\n"
    );
    svg += &axis.grid();
    for (at, (line, colour)) in lines.iter().zip(COLOURS).enumerate() {
        svg += &axis.line(line, colour);
        let x = LEFT + 180.0 * number(at);
        let _ = writeln!(svg, "<text x=\"{x}\" y=\"29\" fill=\"{colour}\">{}</text>", line.name);
    }
    svg + "</svg>\n"
}

struct Axis {
    scale: Scale,
    top: f64,
    hours: usize,
}

impl Axis {
    fn x(&self, hour: f64) -> f64 {
        LEFT + (WIDTH - LEFT - RIGHT) * hour / number(self.hours.max(1))
    }

    fn y(&self, value: f64) -> f64 {
        let share = match self.scale {
            Scale::Linear => value / self.top,
            Scale::Logarithmic => value.max(1.0).log10() / self.top.log10(),
        };
        HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share
    }

    fn grid(&self) -> String {
        let mut svg = String::new();
        let marks: Vec<f64> = match self.scale {
            Scale::Linear => (0..=4).map(|part| self.top * f64::from(part) / 4.0).collect(),
            Scale::Logarithmic => {
                let tens = std::iter::successors(Some(1.0), |mark: &f64| Some(mark * 10.0));
                tens.take_while(|mark| *mark <= self.top * 1.01).collect()
            }
        };
        let (right, label) = (WIDTH - RIGHT, LEFT - 6.0);
        for mark in marks {
            let y = self.y(mark);
            let _ = writeln!(
                svg,
                "<path d=\"M{LEFT} {y:.1}H{right}\" stroke=\"#ddd\"/>\
                 <text x=\"{label}\" y=\"{:.1}\" text-anchor=\"end\">{mark}</text>",
                y + 4.0
            );
        }
        for day in 0..=self.hours / 24 {
            let x = self.x(number(day * 24));
            let (bottom, below) = (HEIGHT - BOTTOM, HEIGHT - 12.0);
            let _ = writeln!(
                svg,
                "<path d=\"M{x:.1} {TOP}V{bottom}\" stroke=\"#ddd\"/>\
                 <text x=\"{x:.1}\" y=\"{below}\" text-anchor=\"middle\">day {day}</text>"
            );
        }
        svg
    }

    fn line(&self, line: &Line, colour: &str) -> String {
        let mut path = String::new();
        for (hour, value) in line.values.iter().enumerate() {
            let letter = if hour == 0 { 'M' } else { 'L' };
            let _ = write!(path, "{letter}{:.1} {:.1}", self.x(number(hour)), self.y(*value));
        }
        format!("<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\"/>\n")
    }
}

/// The next number that looks well at the top.
fn round_up(most: f64, scale: Scale) -> f64 {
    let ten = 10_f64.powf(most.log10().floor());
    match scale {
        Scale::Logarithmic => (ten * if most > ten { 10.0 } else { 1.0 }).max(10.0),
        Scale::Linear => [1.0, 1.2, 1.6, 2.0, 2.4, 3.0, 4.0, 6.0, 8.0, 10.0]
            .map(|part| part * ten)
            .into_iter()
            .find(|top| *top >= most)
            .unwrap_or(most),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a year has fewer than 2^53 hours")]
fn number(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_value_stays_below_the_top() {
        for most in [1.0, 7.0, 10.0, 64_000.0, 99_999.0] {
            for scale in [Scale::Linear, Scale::Logarithmic] {
                let top = round_up(most, scale);
                assert!(top >= most && top <= most * 10.0 + 9.0, "{most} {top}");
            }
        }
    }

    #[test]
    fn every_line_is_in_the_picture_and_named() {
        let line = |name| Line { name, values: vec![1.0, 2.0, 3.0] };
        let svg = plot("queue", "messages", Scale::Linear, &[line("one"), line("two")]);
        assert_eq!(svg.matches("stroke-width").count(), 2);
        assert!(svg.contains(">two</text>") && svg.contains("queue, messages"));
    }
}
