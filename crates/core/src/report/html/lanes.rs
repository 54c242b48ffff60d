//! The picture of a path: a lane for each device, time goes down, and each arrow bears the packet's addresses there.

use super::arrow::Arrow;
use super::canvas::{Canvas, Line, WIDTH, fold, lines, width};
use super::way::{Hop, Way, packet};
use super::{meaning, sign};
use crate::page::escape;
use crate::report::{Origin, Piece, Reach, Verdict};
use crate::trace::Phase;
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
                // The interfaces of the sender and of the receiver say nothing.
                let out = before.out.filter(|_| n > 1);
                let by = hop.by.filter(|_| !end);
                let (from, to) = (lane(before.device), lane(hop.device));
                let past = lanes.get(from.min(to) + 1..from.max(to)).unwrap_or_default().join(", ");
                let (x, target) = (middle(from, lanes.len()), middle(to, lanes.len()));
                Arrow { x, target, old: before.came, new: hop.came, out, by, past }.draw(canvas);
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
        let verdict = meaning(self.piece.reach);
        let (class, strong) = match verdict {
            Verdict::Works => return ("box good", arrived(self.ways.last().map_or(Phase::Reply, |w| w.packet))),
            Verdict::Fails => ("box bad", "wrong"),
            Verdict::Degraded | Verdict::Unknown => ("box open", "warned"),
        };
        let mut told = lines(&format!("{} {}", sign(verdict), why(self.piece)), strong, 8);
        if let Some(o) = self.decider() {
            told.extend(lines(&o.place(), "place", 2));
            told.extend(lines(&o.text, strong, 4));
        }
        (class, told)
    }
}

/// Why packets stop.
fn why(piece: &Piece) -> String {
    with_arrows(&super::reason(piece))
}

/// A sentence about addresses, with arrows as in the picture.
fn with_arrows(text: &str) -> String {
    text.replace(" -> ", " → ")
}

fn arrived(packet: Phase) -> Vec<Line> {
    let text = if packet == Phase::Reply { "✓ the answer arrives" } else { "✓ arrives" };
    lines(text, "right", 1)
}

/// Middle of a lane.
fn middle(lane: usize, lanes: usize) -> usize {
    (2 * lane + 1) * WIDTH / (2 * lanes.max(1))
}

/// Names of the devices, each at the head of its lane.
fn heads(canvas: &mut Canvas, lanes: &[&str], reached: usize) {
    let count = lanes.len().max(1);
    let wide = (WIDTH / count).saturating_sub(2).clamp(6, 150);
    // Four devices and more have narrower letters.
    let (letter, class) = if count > 3 { (56, "name narrow") } else { (68, "name") };
    let names: Vec<(Vec<String>, bool)> = lanes.iter().map(|l| fold(l, ((wide - 4) * 10 / letter).max(1), 4)).collect();
    let rows = names.iter().map(|(l, _)| l.len()).max().unwrap_or(1);
    let height = rows * 13 + 10;
    for (n, (folded, cut)) in names.into_iter().enumerate() {
        let x = middle(n, count);
        let kind = if n < reached { "device" } else { "device never" };
        let _ = writeln!(
            canvas.out,
            "<rect x=\"{}\" y=\"1\" width=\"{wide}\" height=\"{height}\" rx=\"5\" class=\"{kind}\"/>",
            x.saturating_sub(wide / 2)
        );
        let top = 15 + (rows - folded.len()) * 13 / 2;
        for (row, text) in folded.into_iter().enumerate() {
            let whole = cut.then(|| lanes[n].to_owned());
            canvas.text(x, top + row * 13, "middle", &Line { text, class, whole });
        }
    }
    canvas.y = height + 1;
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
            out.push(with_arrows(&text));
        }
    }
    out.push(match piece.reach {
        Reach::Open => "it gets through, and so does the answer".into(),
        _ => why(piece),
    });
    out
}
