//! The control endpoint: what a service of AWS has no word for, at paths that none of them uses.
//!
//! | request | what it does |
//! | --- | --- |
//! | `GET /_sandbox/status` | tells who serves which world |
//! | `POST /_sandbox/stop` | ends the sandbox |
//! | `POST /_sandbox/reset` | empties the world |
//! | `PUT /_sandbox/accounts` | adds accounts: `{"apps": "222222222222"}` |
//! | `PUT /_sandbox/quotas` | lets accounts have other numbers: `{"222222222222": {"L-F678F1CE": 6}}` |
//! | `GET /_sandbox/faults` | tells the rules, and how often each has fired |
//! | `PUT /_sandbox/faults` | puts a list of rules in the place of all |
//! | `POST /_sandbox/faults` | adds one rule |
//! | `DELETE /_sandbox/faults` | takes all rules away |
//! | `POST /_sandbox/clock` | lets time pass at once, `{"advance": 60}`, or at another speed, `{"speed": 0}` |
//! | `POST /_sandbox/tokens` | issues a web identity: `{"issuer": "https://..", "claims": {"sub": ".."}}` |
//! | `GET /_sandbox/log?after=NUMBER` | tells the requests since one |
//! | `GET /_sandbox/world` | tells everything there is |

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use straddle_engine::outside::Substitute;

use crate::call::Refusal;
use crate::playground::{Playground, wait_for};
use crate::quotas;
use crate::server::{Incoming, Outgoing, Shared};
use crate::store::{Event, Kept};
use crate::world::AccountId;

/// What the paths of the control endpoint begin with.
const PREFIX: &str = "/_sandbox/";

/// What a sandbox says about itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The process that serves it.
    pub process_id: u32,
    /// The version of the program.
    pub version: String,
    /// Where clients find it.
    pub endpoint: String,
    /// Where clients find every other host: clusters, repositories of charts, load balancers.
    pub outside: Substitute,
    /// The region that clients are told to use.
    pub region: String,
    /// The file of its world, if it has one.
    pub world: Option<String>,
    /// Since when it serves.
    pub since: Timestamp,
    /// The world's time.
    pub time: Timestamp,
    /// How many times faster than ours its time goes.
    pub speed: f64,
    /// The organization's management account.
    pub management: AccountId,
    /// The names of its accounts.
    pub accounts: BTreeMap<AccountId, String>,
    /// How many requests were answered.
    pub requests: u64,
}

/// Returns the name of what is asked of the control endpoint; `None` if a service is asked.
pub(crate) fn asked(incoming: &Incoming) -> Option<&str> {
    incoming.path.strip_prefix(PREFIX)
}

/// Answers a request to the control endpoint.
pub(crate) async fn answer(shared: &Shared, incoming: &Incoming) -> Outgoing {
    // A browser says where a page comes from that sends a request: no page has any business here.
    if incoming.header("origin").is_some() {
        return problem(403, "the sandbox takes no orders from web pages");
    }
    let (done, kept) = match carry_out(shared, incoming) {
        Ok(done) => done,
        Err(refused) => return problem(refused.status, &refused.message),
    };
    match wait_for(kept).await {
        Ok(()) => Outgoing::json(200, &done, "control"),
        Err(refused) => problem(refused.status, &refused.message),
    }
}

fn problem(status: u16, message: &str) -> Outgoing {
    Outgoing::json(status, &json!({ "error": message }), "control")
}

/// What an order answers, and what has to be kept before.
type Done = (Value, Option<Kept>);

fn carry_out(shared: &Shared, incoming: &Incoming) -> Result<Done, Refusal> {
    let mut playground = shared.playground();
    let nothing = || json!({});
    Ok(match (incoming.method.as_str(), asked(incoming).unwrap_or_default()) {
        ("GET", "status") => (value(&shared.status(&playground)), None),
        ("POST", "stop") => {
            shared.stop();
            (nothing(), None)
        }
        ("POST", "reset") => (nothing(), playground.reset()),
        ("PUT", "accounts") => (nothing(), add_accounts(&mut playground, body(incoming)?)),
        ("PUT", "quotas") => (nothing(), adjust_quotas(&mut playground, body(incoming)?)?),
        ("GET", "faults") => (json!({ "faults": playground.faults.rules() }), None),
        ("PUT", "faults") => {
            playground.faults.replace(body(incoming)?);
            (nothing(), None)
        }
        ("POST", "faults") => {
            playground.faults.add(body(incoming)?);
            (nothing(), None)
        }
        ("DELETE", "faults") => {
            playground.faults.replace(Vec::new());
            (nothing(), None)
        }
        ("POST", "clock") => (set_clock(&mut playground, body(incoming)?), None),
        ("POST", "tokens") => issue(&mut playground, &body(incoming)?),
        ("GET", "log") => (json!({ "requests": log(&playground, incoming)? }), None),
        ("GET", "world") => (value(&playground.world), None),
        (method, path) => {
            let message = format!("the control endpoint has no {method} {PREFIX}{path}");
            return Err(Refusal { status: 404, ..Refusal::new("NotFound", message) });
        }
    })
}

/// What is to become of the time.
#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockOrder {
    /// How many seconds pass at once.
    #[serde(default)]
    advance: f64,
    /// How many seconds of the world pass in one of ours from now on.
    speed: Option<f64>,
}

fn set_clock(playground: &mut Playground, order: ClockOrder) -> Value {
    let advance = SignedDuration::try_from_secs_f64(order.advance.max(0.0)).unwrap_or(SignedDuration::MAX);
    playground.world.clock.advance(advance);
    if let Some(speed) = order.speed {
        playground.world.clock.set_speed(speed.max(0.0));
    }
    playground.let_arrive();
    json!({ "time": playground.world.now(), "speed": playground.world.clock.speed() })
}

fn add_accounts(playground: &mut Playground, accounts: BTreeMap<String, AccountId>) -> Option<Kept> {
    let mut kept = None;
    for (name, id) in accounts {
        if playground.world.organization.accounts.get(&id) != Some(&name) {
            // What is kept later is kept after this.
            kept = playground.happen(Event::Account { name, id });
        }
    }
    kept
}

/// Lets accounts have other numbers of something, by the codes of quotas: all that are ordered, or none.
fn adjust_quotas(
    playground: &mut Playground,
    orders: BTreeMap<AccountId, BTreeMap<String, usize>>,
) -> Result<Option<Kept>, Refusal> {
    let codes = orders.values().flat_map(BTreeMap::keys);
    if let Some(unknown) = codes.into_iter().find(|code| quotas::with_code(code).is_none()) {
        return Err(Refusal::new("BadRequest", format!("there is no quota with the code `{unknown}`")));
    }
    let mut kept = None;
    for (account, quotas) in orders {
        for (code, value) in quotas {
            // What is kept later is kept after this.
            kept = playground.happen(Event::Quota { account: account.clone(), code, value });
        }
    }
    Ok(kept)
}

/// Who issues a token, and what it says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenOrder {
    issuer: String,
    claims: Map<String, Value>,
}

/// Signs claims as they are, but for those of who issued them, and until when they hold: an hour.
fn issue(playground: &mut Playground, order: &TokenOrder) -> Done {
    let kept = playground.happen(Event::Issuer(order.issuer.clone()));
    let now = playground.world.now().as_second();
    let mut claims = json!({ "iss": order.issuer, "iat": now, "exp": now + 3600 });
    claims.as_object_mut().expect("it is an object").extend(order.claims.clone());
    (json!({ "token": playground.world.issuer(&order.issuer).issue(&claims) }), kept)
}

fn log(playground: &Playground, incoming: &Incoming) -> Result<Value, Refusal> {
    let after = incoming.query().into_iter().find(|(name, _)| name == "after").map(|(_, value)| value);
    let after = after.map_or(Ok(0), |text| text.parse());
    let after = after.map_err(|_| Refusal::new("BadRequest", "`after` is the number of a request"))?;
    Ok(value(&playground.log.after(after).collect::<Vec<_>>()))
}

fn body<T: DeserializeOwned>(incoming: &Incoming) -> Result<T, Refusal> {
    serde_json::from_slice(&incoming.body).map_err(|error| Refusal::new("BadRequest", error.to_string()))
}

fn value(value: &impl Serialize) -> Value {
    serde_json::to_value(value).expect("what the sandbox tells has a JSON form")
}
