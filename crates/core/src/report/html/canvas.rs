//! The paper of a picture: texts that stay inside, lines and boxes. Lengths are whole units; a picture is as wide as a
//! phone, so that there one unit is one pixel.

use crate::page::escape;
use std::fmt::Write;

/// Width of a picture: that of a phone less the margins.
pub(super) const WIDTH: usize = 340;

/// Width of a letter of a fixed font of size 11, in tenths; the widest that browsers use.
const LETTER: usize = 68;

/// Letters in a line that is as wide as the picture.
const LINE: usize = (WIDTH - 16) * 10 / LETTER;

/// Distance of lines.
const LEADING: usize = 15;

/// A picture in the making.
pub(super) struct Canvas {
    /// Elements so far.
    pub out: String,
    /// Where the next thing goes.
    pub y: usize,
}

/// A line of text in a box: its text, which may be cut, its class, and the whole where it is cut.
pub(super) struct Line {
    pub text: String,
    pub class: &'static str,
    pub whole: Option<String>,
}

/// Text folded into lines of a box; what does not fit into `most` lines is cut, and stands in the tooltip.
pub(super) fn lines(text: &str, class: &'static str, most: usize) -> Vec<Line> {
    let (folded, cut) = fold(text, LINE - 2, most);
    let whole = cut.then(|| text.to_owned());
    folded.into_iter().map(|text| Line { text, class, whole: whole.clone() }).collect()
}

/// Width of a text.
pub(super) fn width(text: &str) -> usize {
    (text.chars().count() * LETTER).div_ceil(10)
}

/// Words in lines; words that are too long are broken. The last of `most` lines says when there was more.
pub(super) fn fold(text: &str, width: usize, most: usize) -> (Vec<String>, bool) {
    let mut lines: Vec<String> = Vec::new();
    let mut room = 0;
    for word in text.split_whitespace() {
        let mut rest: Vec<char> = word.chars().collect();
        let fits = rest.len() < room;
        if fits {
            room -= rest.len() + 1;
            if let Some(line) = lines.last_mut() {
                line.push(' ');
                line.extend(rest.drain(..));
            }
        }
        while !rest.is_empty() {
            let piece: String = rest.drain(..rest.len().min(width)).collect();
            room = width - piece.chars().count();
            lines.push(piece);
        }
    }
    let cut = lines.len() > most;
    lines.truncate(most);
    if let Some(last) = lines.last_mut().filter(|_| cut) {
        while last.chars().count() >= width {
            last.pop();
        }
        last.push('…');
    }
    (lines, cut)
}

impl Canvas {
    /// Text that may be cut, with the whole as its tooltip; `anchor` is `start`, `middle` or `end`.
    pub fn text(&mut self, x: usize, y: usize, anchor: &str, line: &Line) {
        let tip = line.whole.as_ref().map_or_else(String::new, |w| format!("<title>{}</title>", escape(w)));
        let Line { class, text, .. } = line;
        let _ = writeln!(
            self.out,
            "<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\" class=\"{class}\">{tip}{}</text>",
            escape(text)
        );
    }

    /// A box around the middle `x`, as wide as its lines and wholly inside the picture.
    pub fn boxed(&mut self, x: usize, class: &str, lines: &[Line]) {
        let widest = lines.iter().map(|l| width(&l.text)).max().unwrap_or(0) + 12;
        let wide = widest.clamp(40, WIDTH - 2);
        let left = x.saturating_sub(wide / 2).clamp(1, WIDTH - 1 - wide);
        let height = lines.len() * LEADING + 7;
        let _ = writeln!(
            self.out,
            "<rect x=\"{left}\" y=\"{}\" width=\"{wide}\" height=\"{height}\" rx=\"4\" class=\"{class}\"/>",
            self.y
        );
        for (n, line) in lines.iter().enumerate() {
            self.text(left + 6, self.y + 14 + n * LEADING, "start", line);
        }
        self.y += height + 7;
    }

    /// An arrow at the present height.
    pub fn arrow(&mut self, from: usize, to: usize) {
        let y = self.y;
        // The shaft ends where the head begins.
        let (shaft, back) = if to > from { (to - 7, to - 8) } else { (to + 7, to + 8) };
        let (top, low) = (y - 4, y + 4);
        let _ = writeln!(self.out, "<path d=\"M{from} {y}H{shaft}\" class=\"shaft\"/>");
        let _ = writeln!(self.out, "<path d=\"M{to} {y}L{back} {top}V{low}Z\" class=\"head\"/>");
    }
}
