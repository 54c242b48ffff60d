//! A packet between two devices: an arrow, the packet's addresses above it, the interfaces below.

use super::canvas::{Canvas, Line, WIDTH, width};
use crate::page::escape;
use crate::report::Ends;
use std::fmt::Write;

/// An arrow.
pub(super) struct Arrow<'r> {
    /// Where it begins.
    pub x: usize,
    /// Where it points.
    pub target: usize,
    /// Addresses with which the packet came to the device that sends it on.
    pub old: &'r Ends,
    /// Addresses that it has now.
    pub new: &'r Ends,
    /// Interface by which it leaves.
    pub out: Option<&'r str>,
    /// Interface by which it arrives.
    pub by: Option<&'r str>,
    /// Devices that it does not touch, though their lanes are in between.
    pub past: String,
}

impl Arrow<'_> {
    pub fn draw(self, canvas: &mut Canvas) {
        self.addresses(canvas);
        canvas.y += 9;
        canvas.arrow(self.x, self.target);
        canvas.y += 10;
        self.interfaces(canvas);
    }

    /// The addresses, what has just changed in another colour.
    fn addresses(&self, canvas: &mut Canvas) {
        let [old_from, old_to] = [&self.old.from, &self.old.to].map(ToString::to_string);
        let [from, to] = [&self.new.from, &self.new.to].map(ToString::to_string);
        let span = |old: &str, new: &str| {
            let class = if old == new { "old" } else { "new" };
            format!("<tspan class=\"{class}\">{}</tspan>", escape(new))
        };
        let (source, target) = (span(&old_from, &from), format!("→ {}", span(&old_to, &to)));
        let wide = width(&format!("{from} → {to}"));
        if wide <= WIDTH - 16 {
            self.above(canvas, &format!("{source} {target}"), wide);
        } else {
            // Two addresses of IPv6 stand above each other.
            self.above(canvas, &source, width(&from));
            self.above(canvas, &target, width(&format!("→ {to}")));
        }
    }

    /// A line over the arrow's middle, or as near as it can be inside the picture.
    fn above(&self, canvas: &mut Canvas, markup: &str, wide: usize) {
        let half = wide / 2 + 1;
        let at = usize::midpoint(self.x, self.target).clamp(half, WIDTH.saturating_sub(half).max(half));
        canvas.y += 14;
        let y = canvas.y;
        let _ = writeln!(canvas.out, "<text x=\"{at}\" y=\"{y}\" text-anchor=\"middle\" class=\"on\">{markup}</text>");
    }

    /// Names of interfaces near their ends, side by side where there is room, else below each other.
    fn interfaces(&self, canvas: &mut Canvas) {
        let right = self.target > self.x;
        let (tail, head) = if right { ("start", "end") } else { ("end", "start") };
        let step = |at: usize, on: bool| if on { at + 5 } else { at.saturating_sub(5) };
        let names = [
            (step(self.x, right), tail, self.out.unwrap_or_default().to_owned()),
            (step(self.target, !right), head, self.by.unwrap_or_default().to_owned()),
            (
                usize::midpoint(self.x, self.target),
                "middle",
                if self.past.is_empty() { String::new() } else { format!("past {}", self.past) },
            ),
        ];
        let shown: Vec<_> = names.into_iter().filter(|(.., name)| !name.is_empty()).collect();
        let room = shown.iter().map(|(.., name)| width(name) + 10).sum::<usize>() <= self.x.abs_diff(self.target);
        let rows = if room { shown.len().min(1) } else { shown.len() };
        for (n, (at, anchor, text)) in shown.into_iter().enumerate() {
            let y = canvas.y + 3 + if room { 0 } else { n * 12 };
            canvas.text(at, y, anchor, &Line { text, class: "on small", whole: None });
        }
        canvas.y += if rows == 0 { 0 } else { rows * 12 - 2 };
    }
}
