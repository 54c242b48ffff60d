//! `callpath ports`: what a product needs from the network, as a sheet for people and for programs.

mod choice;
mod html;
mod markdown;
mod ranges;
mod text;

pub use choice::Choice;

use crate::manifest::show_ranges;
use crate::profile::{Advice, Answers, Ice, Instance, ToldBy};
use crate::requirement::{Level, Party, Requirement};
use crate::vocabulary::LegKind;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Name and version of the JSON format.
pub const SCHEMA: &str = "callpath.ports/1";

/// How to print a sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For a terminal, 80 columns.
    Text,
    /// A document with tables.
    Markdown,
    /// For programs: [`SCHEMA`].
    Json,
    /// One page that needs nothing else.
    Html,
}

/// Everything that a product in one mode needs from the network.
#[derive(Debug, Clone, Serialize)]
pub struct Sheet {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// Name of the profile.
    pub system: String,
    /// The product's name for people.
    pub title: String,
    /// What it is.
    pub about: String,
    /// Name of the mode.
    pub mode: String,
    /// What the mode means.
    pub mode_about: String,
    /// What browsers refuse because pages come without TLS.
    pub plain_http: Option<String>,
    /// What must, should or may be reached.
    pub open: Vec<Line>,
    /// What must not be reached.
    pub closed: Vec<Line>,
    /// How many people the ranges suffice for.
    pub capacity: Vec<String>,
    /// Ranges that are in other use, and what to keep apart.
    pub ranges: Vec<String>,
    /// What clients are told.
    pub told: Vec<String>,
    /// Why the router must turn calls from inside back in.
    pub hairpin: Option<String>,
    /// What to do about the router's helper (ALG).
    pub helper: Option<String>,
    /// What else is to be done.
    pub advice: Vec<String>,
    /// Where other texts of the product say something else.
    pub notes: Vec<String>,
    /// What the documents leave open.
    pub not_judged: Vec<String>,
    /// Documents by short name.
    pub documents: BTreeMap<String, String>,
}

/// A row of the sheet.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    /// Name of the requirement.
    pub id: String,
    /// Protocol.
    pub proto: &'static str,
    /// Ports: `50000-50499`.
    pub ports: String,
    /// The ports are only an example.
    pub example: bool,
    /// Who sends first.
    pub who: String,
    /// What it is for.
    pub purpose: String,
    /// Is it required? In words.
    pub required: String,
    /// Key of `with` that changes the ports.
    pub parameter: String,
    /// What the product's document calls it.
    pub label: Option<String>,
    /// What other texts of the product say about it.
    pub note: Option<String>,
    /// Document and key.
    pub source: String,
}

/// The sheet of an instance.
pub fn sheet(instance: &Instance) -> Sheet {
    let profile = &instance.profile;
    let (closed, open): (Vec<&Requirement>, Vec<&Requirement>) =
        instance.requirements.iter().partition(|r| r.level == Level::Forbidden);
    let cited = |a: &Advice| format!("{} [{}]", a.about, a.source);
    let mode = instance.mode();
    Sheet {
        schema: SCHEMA,
        system: profile.name.clone(),
        title: profile.title.clone(),
        about: profile.about.clone(),
        mode: instance.mode.clone(),
        mode_about: mode.map_or_else(String::new, |m| m.about.clone()),
        plain_http: mode.and_then(|m| m.plain_http.clone()),
        capacity: open.iter().filter_map(|r| capacity(r)).collect(),
        ranges: ranges::notes(instance),
        open: open.into_iter().map(line).collect(),
        closed: closed.into_iter().map(line).collect(),
        told: told(instance),
        hairpin: profile.hairpin.as_ref().filter(|_| mode.is_none_or(|m| m.holds_address.is_none())).map(cited),
        helper: profile.helper.as_ref().map(cited),
        advice: profile.advice.iter().map(cited).collect(),
        notes: profile.note.iter().map(cited).collect(),
        not_judged: profile.not_judged.clone(),
        documents: profile.documents.clone(),
    }
}

/// The sheet of an instance in a format.
pub fn render(instance: &Instance, format: Format) -> String {
    let sheet = sheet(instance);
    match format {
        Format::Text => text::text(&sheet),
        Format::Markdown => markdown::markdown(&sheet),
        Format::Json => serde_json::to_string_pretty(&sheet).unwrap_or_default() + "\n",
        Format::Html => html::html(&sheet),
    }
}

fn line(r: &Requirement) -> Line {
    Line {
        id: r.id.clone(),
        proto: r.proto.name(),
        ports: show_ranges(&r.ports),
        example: r.example,
        who: r.sender().to_owned(),
        purpose: r.purpose.clone(),
        required: required(r),
        parameter: r.parameter.clone(),
        label: r.label.clone(),
        note: r.note.as_ref().map(|n| format!("{} [{}]", n.about, n.source)),
        source: r.source.clone(),
    }
}

fn required(r: &Requirement) -> String {
    let mut out = match r.level {
        Level::Required => "yes",
        Level::Recommended => "recommended",
        Level::Optional => "optional",
        Level::Forbidden => "must not be reached",
        Level::Admin => "admin only: from your address",
        Level::OptionalAdmin => "optional, admin only: from your address",
    }
    .to_owned();
    if r.level != Level::Forbidden && !r.at.is_empty() {
        let places: Vec<&str> = r.at.iter().map(|p| if p == "internet" { "the internet" } else { p }).collect();
        let _ = write!(out, ", from {}", places.join(" and "));
    }
    if !r.when.is_empty() {
        let verb = if r.when.len() == 1 { "is" } else { "are" };
        let _ = write!(out, " (if {} {verb} used)", r.when.join(" and "));
    }
    out
}

fn capacity(r: &Requirement) -> Option<String> {
    let (people, each) = (r.capacity()?, r.per_participant?);
    Some(format!("{}: {} ports, {each} for each participant: about {people} participants", r.what(), r.count()))
}

fn told(instance: &Instance) -> Vec<String> {
    let told = &instance.profile.told;
    let mut out = vec![format!("{} [{}]", told.about, told.source)];
    let by = match (told.by, told.ice) {
        (ToldBy::Sdp, _) => "in SDP",
        (ToldBy::Ice, Some(Ice::Lite)) => "by ICE; the server is a lite agent: it only answers connectivity checks",
        (ToldBy::Ice, _) => "by ICE; the server is a full agent: it sends connectivity checks itself",
    };
    out.push(format!("the public address, {by}"));
    match (told.by, told.stun, instance.answers()) {
        (ToldBy::Ice, true, _) => out.push("a STUN server, so that they can tell their own public address".into()),
        (ToldBy::Ice, false, _) => out.push("no STUN server: they cannot tell their own public address".into()),
        (ToldBy::Sdp, _, Some(Answers::Source)) => out.push("media goes back to where theirs comes from".into()),
        (ToldBy::Sdp, ..) => out.push("media goes to the address that they name".into()),
    }
    if told.own_inside {
        out.push("in networks that count as local: the server's own address".into());
    }
    let media = instance.requirements.iter().filter(|r| r.leg == LegKind::Media && r.from == Party::Callers);
    let ports: Vec<String> = media.map(Requirement::what).collect();
    if !ports.is_empty() {
        out.push(format!("ports for media, the same outside as inside: {}", ports.join(", ")));
    }
    out
}

#[cfg(test)]
mod tests;
