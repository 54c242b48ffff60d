//! The picture of a path: a lane for each device, time goes down, and each arrow bears the packet's addresses there.

use super::canvas::{Canvas, LINE, Line, WIDTH, fold, lines, width};
use super::way::{Hop, Way, ends, packet};
use crate::page::escape;
use crate::report::{Origin, Piece, Reach};
use std::fmt::Write;

/// Rules that a box names before it only counts them.
const RULES: usize = 3;

/// What is drawn.
pub(super) struct Picture<'r> {
    pub piece: &'r Piece,
    pub ways: &'r [Way<'r>],
    /// Whom the packet should reach: drawn faintly where it never comes.
    pub server: Option<String>,
}

impl Picture<'_> {
    /// The picture as an element; `number` makes its names unique in the page.
    pub fn svg(&self, number: usize, title: &str) -> String {
        let mut lanes: Vec<&str> = Vec::new();
        for hop in self.ways.iter().flat_map(|w| &w.hops) {
            if !lanes.contains(&hop.device) {
                lanes.push(hop.device);
            }
        }
        let reached = lanes.len();
        lanes.extend(self.server.as_deref());
        let mut canvas = Canvas { out: String::new(), y: 0 };
        heads(&mut canvas, &lanes, reached);
        let body = canvas.y;
        for (n, way) in self.ways.iter().enumerate() {
            let last = n + 1 == self.ways.len();
            self.way(&mut canvas, &lanes, way, last);
        }
        let height = canvas.y;
        let mut tracks = String::new();
        for n in 0..lanes.len() {
            let (x, class) = (middle(n, lanes.len()), if n < reached { "lane" } else { "lane never" });
            let _ = writeln!(tracks, "<path d=\"M{x} {body}V{height}\" class=\"{class}\"/>");
        }
        format!(
            "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-labelledby=\"t{number} d{number}\">\n\
             <title id=\"t{number}\">{}</title>\n<desc id=\"d{number}\">{}</desc>\n{tracks}{}</svg>\n",
            escape(title),
            escape(&words(self.ways, self.piece).join(". ")),
            canvas.out
        )
    }

    fn way(&self, canvas: &mut Canvas, lanes: &[&str], way: &Way<'_>, last: bool) {
        let lane = |device: &str| lanes.iter().position(|l| *l == device).unwrap_or(0);
        let name = Line { text: packet(way.packet).into(), class: "packet", whole: None };
        canvas.y += 16;
        let y = canvas.y;
        let _ = writeln!(canvas.out, "<path d=\"M{} {}H{WIDTH}\" class=\"rule\"/>", width(&name.text) + 6, y - 4);
        canvas.text(0, y, "start", &name);
        canvas.y += 8;
        for (n, hop) in way.hops.iter().enumerate() {
            let end = n + 1 == way.hops.len();
            if n > 0 {
                let before = &way.hops[n - 1];
                let ends = End { shown: n > 1, end };
                arrow(canvas, lane(before.device), lane(hop.device), lanes, (before, hop), ends);
            }
            let x = middle(lane(hop.device), lanes.len());
            let decider = self.decider().filter(|_| last && end);
            let told = acts(hop, decider);
            if !told.is_empty() {
                canvas.boxed(x, "box", &told);
            }
            if end {
                let (class, told) = if last { self.ending() } else { ("box good", arrived(way.packet)) };
                canvas.boxed(x, class, &told);
            }
        }
    }

    /// The rule that decides, where packets stop.
    fn decider(&self) -> Option<&Origin> {
        let doubts = || self.piece.doubts.iter().find_map(|d| d.origin.as_ref());
        match self.piece.reach {
            Reach::Open => None,
            Reach::Unknown => doubts(),
            _ => self.piece.stop.as_ref().and_then(|s| s.origin.as_ref()),
        }
    }

    /// The last box.
    fn ending(&self) -> (&'static str, Vec<Line>) {
        let (class, text, strong) = match (self.piece.reach, &self.piece.stop) {
            (Reach::Open, _) => return ("box good", arrived(self.ways.last().map_or("reply", |w| w.packet))),
            (Reach::Unknown, _) | (_, None) => ("box open", format!("? {}", super::reason(self.piece)), "warned"),
            (_, Some(stop)) => ("box bad", format!("✕ {}", stop.what), "wrong"),
        };
        let mut told = lines(&text, strong, 8);
        if let Some(o) = self.decider() {
            told.extend(lines(&o.place(), "place", 2));
            told.extend(lines(&o.text, strong, 4));
        }
        (class, told)
    }
}

/// Which ends of an arrow show their interfaces.
#[derive(Clone, Copy)]
struct End {
    /// The tail: not at the sender, whose interface says nothing.
    shown: bool,
    /// The head is where the packet ends.
    end: bool,
}

fn arrived(packet: &str) -> Vec<Line> {
    let text = if packet == "reply" { "✓ the answer arrives" } else { "✓ arrives" };
    lines(text, "right", 1)
}

/// Middle of a lane.
fn middle(lane: usize, lanes: usize) -> usize {
    (2 * lane + 1) * WIDTH / (2 * lanes.max(1))
}

/// Names of the devices, each at the head of its lane.
fn heads(canvas: &mut Canvas, lanes: &[&str], reached: usize) {
    let count = lanes.len().max(1);
    let wide = (WIDTH / count - 4).min(150);
    // Four devices and more have narrower letters.
    let (letter, class) = if count > 3 { (58, "name narrow") } else { (67, "name") };
    let names: Vec<(Vec<String>, bool)> = lanes.iter().map(|l| fold(l, (wide - 4) * 10 / letter, 4)).collect();
    let rows = names.iter().map(|(l, _)| l.len()).max().unwrap_or(1);
    let height = rows * 13 + 10;
    for (n, (folded, cut)) in names.into_iter().enumerate() {
        let x = middle(n, count);
        let kind = if n < reached { "device" } else { "device never" };
        let _ = writeln!(
            canvas.out,
            "<rect x=\"{}\" y=\"1\" width=\"{wide}\" height=\"{height}\" rx=\"5\" class=\"{kind}\"/>",
            x - wide / 2
        );
        let top = 15 + (rows - folded.len()) * 13 / 2;
        for (row, text) in folded.into_iter().enumerate() {
            let whole = cut.then(|| lanes[n].to_owned());
            canvas.text(x, top + row * 13, "middle", &Line { text, class, whole });
        }
    }
    canvas.y = height + 1;
}

/// An arrow from lane to lane, with the packet's addresses above and the interfaces below.
fn arrow(canvas: &mut Canvas, from: usize, to: usize, lanes: &[&str], hops: (&Hop<'_>, &Hop<'_>), show: End) {
    let (x, target) = (middle(from, lanes.len()), middle(to, lanes.len()));
    let (before, after) = hops;
    let (old, new) = (ends(before.came), ends(after.came));
    let class = |changed: bool| if changed { "new" } else { "old" };
    let (first, second) = (class(old.0 != new.0), class(old.1 != new.1));
    let label = format!("{} → {}", new.0, new.1);
    let pieces = |a: &str, b: &str| {
        format!("<tspan class=\"{first}\">{}</tspan> → <tspan class=\"{second}\">{}</tspan>", escape(a), escape(b))
    };
    let rows: Vec<(String, usize)> = if label.chars().count() <= LINE {
        vec![(pieces(new.0, new.1), width(&label))]
    } else {
        // Two addresses of IPv6 stand above each other.
        let low = format!("→ {}", new.1);
        let (a, b) = (escape(new.0), escape(new.1));
        vec![
            (format!("<tspan class=\"{first}\">{a}</tspan>"), width(new.0)),
            (format!("→ <tspan class=\"{second}\">{b}</tspan>"), width(&low)),
        ]
    };
    for (markup, wide) in rows {
        let half = wide / 2 + 1;
        let at = usize::midpoint(x, target).clamp(half, WIDTH.saturating_sub(half).max(half));
        canvas.y += 14;
        let _ = writeln!(
            canvas.out,
            "<text x=\"{at}\" y=\"{}\" text-anchor=\"middle\" class=\"on\">{markup}</text>",
            canvas.y
        );
    }
    canvas.y += 9;
    canvas.arrow(x, target);
    let (tail, head) = if target > x { ("start", "end") } else { ("end", "start") };
    let near = |at: usize, other: usize| if other > at { at + 5 } else { at.saturating_sub(5) };
    let y = canvas.y + 13;
    let mut below = false;
    let iface = |name: &str| Line { text: name.into(), class: "on small", whole: None };
    if let Some(name) = before.out.filter(|_| show.shown) {
        canvas.text(near(x, target), y, tail, &iface(name));
        below = true;
    }
    if let Some(name) = after.by.filter(|_| !show.end) {
        canvas.text(near(target, x), y, head, &iface(name));
        below = true;
    }
    let passed = &lanes[from.min(to) + 1..from.max(to).max(from.min(to) + 1)];
    if !passed.is_empty() {
        let text = format!("past {}", passed.join(", "));
        canvas.text(usize::midpoint(x, target), y, "middle", &Line { text, class: "on small", whole: None });
        below = true;
    }
    canvas.y += if below { 20 } else { 10 };
}

/// What a device does to a packet: changed addresses, and the rules that acted.
fn acts(hop: &Hop<'_>, decider: Option<&Origin>) -> Vec<Line> {
    let mut told: Vec<Line> = hop.changes().iter().flat_map(|c| lines(c, "new", 3)).collect();
    told.extend(hop.session.into_iter().flat_map(|s| lines(s, "plain", 2)));
    let rules: Vec<&&Origin> = hop.rules.iter().filter(|o| Some(**o) != decider).collect();
    for o in rules.iter().take(RULES) {
        told.extend(lines(&o.place(), "place", 1));
        told.extend(lines(&o.text, "plain", 2));
    }
    if rules.len() > RULES {
        let more: Vec<String> = rules[RULES..].iter().map(|o| format!("{} {}", o.place(), o.text)).collect();
        let text = format!("and {} more rules", more.len());
        told.push(Line { text, class: "place", whole: Some(more.join("\n")) });
    }
    told
}

/// All that the picture shows, in sentences.
pub(super) fn words(ways: &[Way<'_>], piece: &Piece) -> Vec<String> {
    let mut out = Vec::new();
    for way in ways {
        for (n, hop) in way.hops.iter().enumerate() {
            let by = hop.by.map_or_else(String::new, |i| format!(" by {i}"));
            let mut text = if n == 0 {
                format!("{}: {} sends {}", packet(way.packet), hop.device, hop.came)
            } else {
                format!("{}: {} gets {}{by}", packet(way.packet), hop.device, hop.came)
            };
            let rules = hop.rules.iter().map(|o| format!("rule {}: {}", o.place(), o.text));
            let session = hop.session.map(|s| format!("it {s}"));
            for said in hop.changes().into_iter().chain(session).chain(rules) {
                text.extend(["; ", &said]);
            }
            out.push(text);
        }
    }
    out.push(match piece.reach {
        Reach::Open => "it gets through, and so does the answer".into(),
        _ => super::reason(piece),
    });
    out
}
