//! From a chart and values with unknown parts to objects with unknown parts.

use std::collections::BTreeSet;

use serde_json::Value as Json;
use straddle_engine::bundle::{Context, Trouble};
use straddle_engine::value::{Unknown, Value, ValueMap};

use crate::helm::{Answers, Keys, Rendered, Surroundings, overlay, render};
use crate::manifests::object::{Object, ObjectName, settle_namespaces};
use crate::object::from_json;
use crate::release::chance::{Blend, Chance, Three, digest_of_calls, mark_of, new_mark, put_mark};
use crate::release::installation::Installation;
use crate::release::lookups::{answers, standing_object, with_string_data};
use crate::release::order::{Stage, staged};
use crate::release::stand_ins::{StandIn, with_stand_ins};
use crate::release::troubles::{left_to_chance, nameless, undecided, unrendered};

/// Returns what a chart makes, in its order. What depends on unknown values is unknown; so is what is drawn by
/// chance, until a plan is carried out.
pub(super) fn objects(
    installation: &Installation,
    context: &Context<'_>,
) -> Result<Vec<(Stage, Object)>, Box<Trouble>> {
    let renderings = Renderings::of(installation, context)?;
    let found = renderings.objects(context)?;
    let mut objects = renderings.kept_by_lookup(found, context);
    let own = own_namespace(&installation.release.namespace);
    if installation.creates_namespace && objects.iter().all(|(_, object)| object.name != own.name) {
        objects.insert(0, (Stage::Definition, own));
    }
    Ok(objects)
}

/// One rendering.
struct Drawn {
    objects: Vec<(Stage, Json)>,
}

/// The renderings of one chart, between which differs what is not known.
struct Renderings<'a> {
    installation: &'a Installation,
    /// What templates find in the cluster.
    answers: Answers,
    /// What was rendered without an answer, if there are answers.
    unanswered: Option<Vec<(Stage, Json)>>,
    one: Drawn,
    /// With other stand-ins.
    two: Option<Drawn>,
    /// With another chance.
    three: Drawn,
    unknowns: Vec<Unknown>,
    /// The calls that something is drawn for where nothing is found.
    calls: Vec<String>,
}

impl<'a> Renderings<'a> {
    fn of(installation: &'a Installation, context: &Context<'_>) -> Result<Self, Box<Trouble>> {
        let nothing = Answers::new();
        let mut unknowns = Vec::new();
        let first = (StandIn::One, Chance::Low);
        let mut one = rendered(installation, first, &nothing, &mut unknowns)?;
        let answers = answers(&one.lookups, context);
        let calls = std::mem::take(&mut one.chances);
        let mut unanswered = None;
        if !answers.is_empty() {
            unanswered = Some(staged(&mut one));
            one = rendered(installation, first, &answers, &mut Vec::new())?;
        }
        let render = |with| rendered(installation, with, &answers, &mut Vec::new()).map(Drawn::of);
        let two = (!unknowns.is_empty()).then(|| render((StandIn::Two, Chance::Low))).transpose()?;
        let three = render((StandIn::One, Chance::High))?;
        let found =
            Self { installation, answers, unanswered, one: Drawn::of(one), two, three, unknowns, calls };
        found.check_names()?;
        Ok(found)
    }

    /// Checks that what is not known decides neither which objects there are nor their names.
    fn check_names(&self) -> Result<(), Box<Trouble>> {
        let names = self.one.names()?;
        if let Some(two) = &self.two
            && two.names()? != names
        {
            return Err(Box::new(undecided(&self.unknowns)));
        }
        if self.three.names()? == names { Ok(()) } else { Err(Box::new(left_to_chance())) }
    }

    fn objects(&self, context: &Context<'_>) -> Result<Vec<(Stage, Object)>, Box<Trouble>> {
        let keys = self.keys()?;
        let standing: Vec<_> = keys.iter().map(|key| context.standing(key).map(standing_object)).collect();
        let standing: Vec<_> = standing.into_iter().map(|object| object.map(with_string_data)).collect();
        let by_chance = context.by_chance();
        let kept = self.blended(&standing, &by_chance);
        let drawing = self.drawing(&kept, &standing);
        let mut blended = match (&drawing, context.carried_out_at()) {
            (Drawing::New, Some(now)) if self.unknowns.is_empty() => self.drawn_now(now, &kept)?,
            (Drawing::New, _) => {
                let nothing = vec![None; kept.len()];
                let mut blended = self.blended(&nothing, &by_chance);
                for object in blended.iter_mut().filter(|object| object.is_drawn) {
                    put_mark(&mut object.manifest, by_chance.clone());
                }
                blended
            }
            (Drawing::Kept, _) => kept,
        };
        // What was drawn once and is now found by a lookup is of the same drawing still.
        for (object, standing) in blended.iter_mut().zip(&standing) {
            let is_marked = object.is_drawn && matches!(drawing, Drawing::New);
            let mark = standing.as_ref().and_then(mark_of).filter(|_| !is_marked);
            if let Some(mark) = mark {
                put_mark(&mut object.manifest, Value::from(mark));
            }
        }
        self.named(blended.into_iter().map(|object| object.manifest).collect())
    }

    /// Decides whether what is drawn stays as it stands: all of it, or nothing.
    fn drawing(&self, blended: &[Blended], standing: &[Option<Json>]) -> Drawing {
        let drawn = blended.iter().zip(standing).filter(|(object, _)| object.is_drawn);
        let mut marks: Vec<_> = drawn.map(|(_, standing)| standing.as_ref().and_then(mark_of)).collect();
        marks.dedup();
        let is_kept = blended.iter().all(|object| !object.is_lost)
            && match marks.as_slice() {
                // Nothing is drawn, or everything was drawn by somebody else and imported.
                [] | [None] => true,
                [Some(mark)] => mark.split('-').next() == Some(digest_of_calls(&self.calls).as_str()),
                _ => false,
            };
        if is_kept { Drawing::Kept } else { Drawing::New }
    }

    /// Puts the renderings together; what was drawn is that of what stands.
    fn blended(&self, standing: &[Option<Json>], by_chance: &Value) -> Vec<Blended> {
        let two = self.two.as_ref().unwrap_or(&self.one);
        let objects = self.one.objects.iter().zip(&two.objects).zip(&self.three.objects).zip(standing);
        let blended = objects.map(|((((_, one), (_, two)), (_, three)), standing)| {
            let mut blend = Blend::new(one, &self.unknowns, by_chance);
            let manifest = blend.object(Three { one, two, drawn: three }, standing.as_ref());
            Blended { manifest: table(manifest), is_drawn: blend.is_drawn, is_lost: blend.is_lost }
        });
        blended.collect()
    }

    /// Draws, now that a plan is carried out.
    fn drawn_now(&self, now: jiff::Timestamp, planned: &[Blended]) -> Result<Vec<Blended>, Box<Trouble>> {
        let with = (StandIn::One, Chance::Real(now));
        let real = Drawn::of(rendered(self.installation, with, &self.answers, &mut Vec::new())?);
        if real.names()? != self.one.names()? {
            return Err(Box::new(left_to_chance()));
        }
        let mark = new_mark(&self.calls);
        let made = real.objects.iter().zip(planned).map(|((_, object), planned)| {
            let mut manifest = table(from_json(object));
            if planned.is_drawn {
                put_mark(&mut manifest, Value::from(mark.as_str()));
            }
            Blended { manifest, ..*planned }
        });
        Ok(made.collect())
    }

    /// Returns the keys of the objects.
    fn keys(&self) -> Result<Vec<String>, Box<Trouble>> {
        let manifests = self.one.objects.iter().map(|(_, object)| table(from_json(object)));
        let named = self.named(manifests.collect())?;
        Ok(named.into_iter().map(|(_, object)| object.name.to_string()).collect())
    }

    /// Gives manifests their names and namespaces.
    fn named(&self, manifests: Vec<ValueMap>) -> Result<Vec<(Stage, Object)>, Box<Trouble>> {
        let stages: Vec<_> = self.one.objects.iter().map(|(stage, _)| *stage).collect();
        named(self.installation, stages, manifests)
    }

    /// Adds what a template makes only as long as it does not find it: it stays as it stands.
    fn kept_by_lookup(
        &self,
        mut objects: Vec<(Stage, Object)>,
        context: &Context<'_>,
    ) -> Vec<(Stage, Object)> {
        let Some(unanswered) = &self.unanswered else { return objects };
        let manifests = unanswered.iter().map(|(_, object)| table(from_json(object)));
        let stages = unanswered.iter().map(|(stage, _)| *stage);
        let Ok(before) = named(self.installation, stages.collect(), manifests.collect()) else {
            return objects;
        };
        let there: BTreeSet<_> = objects.iter().map(|(_, object)| object.name.to_string()).collect();
        for (stage, object) in before {
            let key = object.name.to_string();
            if there.contains(&key) {
                continue;
            }
            if let Some(inputs) = context.standing(&key) {
                let manifest = table(from_json(&standing_object(inputs)));
                objects.push((stage, Object { manifest, ..object }));
            }
        }
        objects.sort_by_key(|(stage, _)| *stage);
        objects
    }
}

/// Whether what is drawn stays as it stands.
enum Drawing {
    Kept,
    New,
}

/// An object with what is unknown in it.
struct Blended {
    manifest: ValueMap,
    /// Whether something in it is drawn by chance.
    is_drawn: bool,
    /// Whether something of that does not stand.
    is_lost: bool,
}

impl Drawn {
    fn of(mut rendered: Rendered) -> Self {
        Self { objects: staged(&mut rendered) }
    }

    /// Returns what there is, as it says it itself.
    fn names(&self) -> Result<Vec<(Stage, ObjectName)>, Box<Trouble>> {
        let name = |(stage, object): &(Stage, Json)| Ok((*stage, name_of(&table(from_json(object)))?));
        self.objects.iter().map(name).collect()
    }
}

fn rendered(
    installation: &Installation,
    (stand_in, chance): (StandIn, Chance),
    answers: &Answers,
    unknowns: &mut Vec<Unknown>,
) -> Result<Rendered, Box<Trouble>> {
    let Installation { chart, files, values, release, capabilities, .. } = installation;
    let own = values.iter().map(|(key, value)| (key.clone(), with_stand_ins(value, stand_in, unknowns)));
    let values = overlay(files.iter().cloned().chain([own.collect()]));
    let keys = match chance {
        Chance::Low | Chance::High => Keys::StandIns,
        Chance::Real(_) => Keys::Real,
    };
    let random = |buffer: &mut [u8]| chance.fill(buffer);
    let surroundings = Surroundings { capabilities, answers, now: chance.now(), random: &random, keys };
    render(chart, &values, release, &surroundings)
        .map_err(|error| Box::new(unrendered(&error, !unknowns.is_empty())))
}

fn named(
    installation: &Installation,
    stages: Vec<Stage>,
    manifests: Vec<ValueMap>,
) -> Result<Vec<(Stage, Object)>, Box<Trouble>> {
    let mut objects = Vec::with_capacity(manifests.len());
    for manifest in manifests {
        let name = name_of(&manifest)?;
        objects.push(Object { manifest, name, place: None });
    }
    let namespace = &installation.release.namespace;
    settle_namespaces(&mut objects, Some(namespace));
    Ok(stages.into_iter().zip(objects).collect())
}

fn own_namespace(name: &str) -> Object {
    let metadata = ValueMap::from([("name".to_owned(), Value::from(name))]);
    let manifest = ValueMap::from([
        ("apiVersion".to_owned(), Value::from("v1")),
        ("kind".to_owned(), Value::from("Namespace")),
        ("metadata".to_owned(), Value::Map(metadata)),
    ]);
    let name = ObjectName::of(&manifest).expect("it was given a name");
    Object { manifest, name, place: None }
}

fn name_of(manifest: &ValueMap) -> Result<ObjectName, Box<Trouble>> {
    let kind = manifest.get("kind").and_then(Value::as_str).unwrap_or_default();
    ObjectName::of(manifest).ok_or_else(|| Box::new(nameless(kind)))
}

/// Returns an object as a table; what is rendered always is one.
fn table(value: Value) -> ValueMap {
    match value {
        Value::Map(table) => table,
        Value::Null
        | Value::Bool(_)
        | Value::Integer(_)
        | Value::Float(_)
        | Value::String(_)
        | Value::List(_)
        | Value::Unknown(_) => ValueMap::new(),
    }
}
