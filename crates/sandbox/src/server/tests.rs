//! The server as its clients see it.

use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use super::*;
use crate::fault::Kind;
use crate::remote::{Remote, RemoteError};
use crate::world::AccountId;

/// A sandbox that serves, and whoever ends it.
pub(crate) struct Serving {
    pub(crate) status: Status,
    remote: Remote,
    address: String,
    end: Option<oneshot::Sender<()>>,
    task: JoinSet<Result<(), SandboxError>>,
}

impl Serving {
    pub(crate) async fn start(file: Option<PathBuf>) -> Self {
        Self::of(Sandbox::open(settings(file)).await.unwrap())
    }

    fn of(sandbox: Sandbox) -> Self {
        let status = sandbox.status();
        let (end, ended) = oneshot::channel();
        let mut task = JoinSet::new();
        task.spawn(sandbox.serve(async { drop(ended.await) }));
        let address = status.endpoint.strip_prefix("http://").unwrap().to_owned();
        Self { remote: Remote::at(&status.endpoint).unwrap(), status, address, end: Some(end), task }
    }

    async fn connect(&mut self) -> SendRequest<Full<Bytes>> {
        let stream = TcpStream::connect(&self.address).await.unwrap();
        let (sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
        self.task.spawn(async move {
            // What goes wrong, the sender is told.
            drop(connection.await);
            Ok(())
        });
        sender
    }

    /// Ends it.
    pub(crate) async fn end(&mut self) {
        drop(self.end.take());
        self.ended().await;
    }

    /// Waits until it has ended.
    async fn ended(&mut self) {
        while let Some(ended) = self.task.join_next().await {
            ended.unwrap().unwrap();
        }
    }
}

fn settings(file: Option<PathBuf>) -> SandboxSettings {
    SandboxSettings {
        port: 0,
        tls_port: 0,
        plain_port: 0,
        file,
        region: "us-east-1".to_owned(),
        faults: Vec::new(),
        chaos: None,
        world: WorldSettings { speed: 0.0, ..WorldSettings::new("111111111111".parse().unwrap()) },
    }
}

/// Makes a call; `None` if the connection is closed without an answer.
async fn call(sender: &mut SendRequest<Full<Bytes>>, form: &str) -> Option<(u16, String)> {
    let authorization = "AWS4-HMAC-SHA256 Credential=test/20261123/us-east-1/ec2/aws4_request, \
                         SignedHeaders=host, Signature=00";
    let request = Request::builder()
        .method(Method::POST)
        .uri("/")
        .header("authorization", authorization)
        .body(Full::new(Bytes::from(form.to_owned())))
        .unwrap();
    let answer = sender.send_request(request).await.ok()?;
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    Some((status, String::from_utf8(body.to_vec()).unwrap()))
}

const CREATE: &str = "Action=CreateVpc&CidrBlock=10.0.0.0/16";
const DESCRIBE: &str = "Action=DescribeVpcs";

async fn vpcs(sender: &mut SendRequest<Full<Bytes>>) -> usize {
    let (status, body) = call(sender, DESCRIBE).await.unwrap();
    assert_eq!(status, 200, "{body}");
    body.matches("<vpcId>").count()
}

#[tokio::test]
async fn a_connection_is_kept_and_ends_with_the_sandbox() {
    let mut serving = Serving::start(None).await;
    let mut sender = serving.connect().await;
    for expected in 1..=3 {
        assert_eq!(call(&mut sender, CREATE).await.unwrap().0, 200);
        assert_eq!(vpcs(&mut sender).await, expected);
    }
    serving.end().await;
    assert!(call(&mut sender, DESCRIBE).await.is_none());
}

#[tokio::test]
async fn a_lost_answer_closes_the_connection_after_the_work() {
    let mut serving = Serving::start(None).await;
    let rule = json!({ "fault": "lost", "operation": "Create*" });
    serving.remote.order(Method::POST, "faults", Some(&rule)).await.unwrap();
    let mut sender = serving.connect().await;
    assert!(call(&mut sender, CREATE).await.is_none());
    let mut sender = serving.connect().await;
    assert_eq!(vpcs(&mut sender).await, 1);
    let told = serving.remote.order(Method::GET, "faults", None).await.unwrap();
    assert_eq!(told["faults"][0]["fired"], 1);
    serving.remote.order(Method::DELETE, "faults", None).await.unwrap();
    assert_eq!(call(&mut sender, CREATE).await.unwrap().0, 200);
    let log = serving.remote.order(Method::GET, "log?after=1", None).await.unwrap();
    let outcomes: Vec<_> =
        log["requests"].as_array().unwrap().iter().map(|entry| &entry["operation"]).collect();
    assert_eq!(outcomes, ["DescribeVpcs", "CreateVpc"]);
}

#[tokio::test]
async fn the_clock_is_moved_and_what_is_late_arrives() {
    let mut serving = Serving::start(None).await;
    let rules = json!([{ "fault": "late", "operation": "CreateVpc", "seconds": 60 }]);
    serving.remote.order(Method::PUT, "faults", Some(&rules)).await.unwrap();
    let mut sender = serving.connect().await;
    assert!(call(&mut sender, CREATE).await.is_none());
    let mut sender = serving.connect().await;
    assert_eq!(vpcs(&mut sender).await, 0);
    let moved = serving.remote.order(Method::POST, "clock", Some(&json!({ "advance": 60 }))).await.unwrap();
    assert_eq!(moved["speed"], 0.0);
    assert_eq!(vpcs(&mut sender).await, 1);
}

#[tokio::test]
async fn orders_are_carried_out_or_refused_with_a_reason() {
    let mut serving = Serving::start(None).await;
    let mut sender = serving.connect().await;
    call(&mut sender, CREATE).await.unwrap();
    let accounts = [("apps".to_owned(), "222222222222".parse().unwrap())].into();
    serving.remote.add_accounts(&accounts).await.unwrap();
    serving.remote.reset().await.unwrap();
    assert_eq!(vpcs(&mut sender).await, 0);
    let status = serving.remote.status().await.unwrap();
    assert_eq!(status.accounts[&"222222222222".parse().unwrap()], "apps", "accounts stay");
    assert_eq!((status.process_id, status.requests), (std::process::id(), 2));
    for (method, path, body) in [
        (Method::GET, "nothing", json!({})),
        (Method::PUT, "faults", json!([{ "fault": "lsot" }])),
        (Method::PUT, "faults", json!([{ "fault": "lost", "colour": 1 }])),
        (Method::PUT, "accounts", json!({ "apps": "2" })),
        (Method::PUT, "quotas", json!({ "111111111111": { "L-0": 1 } })),
        (Method::POST, "clock", json!({ "back": 1 })),
        (Method::GET, "log?after=x", json!({})),
    ] {
        let refused = serving.remote.order(method, path, Some(&body)).await;
        assert!(matches!(refused, Err(RemoteError::Refused(_))), "{path} {body}: {refused:?}");
    }
    let request = Request::builder().uri("/_sandbox/status").header("origin", "https://example.com");
    let answer = sender.send_request(request.body(Full::default()).unwrap()).await.unwrap();
    assert_eq!(answer.status(), 403, "web pages give no orders");
    assert!(answer.headers().contains_key("date"), "clients compare it with their own clock");
    serving.remote.stop().await.unwrap();
    serving.ended().await;
    assert!(matches!(serving.remote.status().await, Err(RemoteError::Unreachable { .. })));
}

#[tokio::test]
async fn a_world_goes_on_with_the_next_sandbox_and_is_run_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.world");
    let mut serving = Serving::start(Some(file.clone())).await;
    let mut sender = serving.connect().await;
    call(&mut sender, CREATE).await.unwrap();
    let settings = SandboxSettings {
        port: 0,
        tls_port: 0,
        plain_port: 0,
        file: Some(file.clone()),
        region: String::new(),
        faults: Vec::new(),
        chaos: None,
        world: WorldSettings::new("111111111111".parse().unwrap()),
    };
    let second = Sandbox::open(settings).await.err();
    let Some(SandboxError::Store(StoreError::Busy { holder, .. })) = second else { panic!("{second:?}") };
    assert_eq!(holder.endpoint, format!("http://{}", serving.address));
    // Killed: the futures are dropped at once.
    serving.task.shutdown().await;
    let mut serving = Serving::start(Some(file)).await;
    let mut sender = serving.connect().await;
    assert_eq!(vpcs(&mut sender).await, 1);
}

/// The call that exchanges a token needs no signature, unlike every other.
async fn exchanged(serving: &mut Serving, token: &str) -> String {
    let role = "arn:aws:iam::111111111111:role/pod";
    let form = format!(
        "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn={role}&RoleSessionName=pod&WebIdentityToken={token}"
    );
    let request = Request::post("/").header("content-type", "application/x-www-form-urlencoded");
    let request = request.body(Full::from(form)).unwrap();
    let answer = serving.connect().await.send_request(request).await.unwrap();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

#[tokio::test]
async fn tokens_are_issued_and_known_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.world");
    let mut serving = Serving::start(Some(file.clone())).await;
    let order = json!({ "issuer": "https://oidc.example.com/id/1", "claims": { "sub": "x", "aud": "y" } });
    let issued = serving.remote.order(Method::POST, "tokens", Some(&order)).await.unwrap();
    let token = issued["token"].as_str().unwrap().to_owned();
    let before = exchanged(&mut serving, &token).await;
    assert!(before.contains("<Code>AccessDenied</Code>"), "there is no such role: {before}");
    serving.task.shutdown().await;
    let serving = Serving::start(Some(file)).await;
    let again = serving.remote.order(Method::POST, "tokens", Some(&order)).await.unwrap();
    let key = |token: &str| token.split('.').next().map(str::to_owned);
    assert_eq!(key(again["token"].as_str().unwrap()), key(&token), "the issuer has the same key");
}

#[tokio::test]
async fn who_serves_it_sees_what_is_there_what_was_asked_and_can_copy_it() {
    let sandbox = Sandbox::open(settings(None)).await.unwrap();
    let witness = sandbox.witness();
    let regions = ["us-east-1".to_owned()].into();
    let before = witness.things(&regions);
    let mut serving = Serving::of(sandbox);
    let mut sender = serving.connect().await;
    witness.add_fault(FaultRule::once(Kind::Throttle, "ec2", "CreateVpc", 1));
    assert_eq!(call(&mut sender, CREATE).await.unwrap().0, 200);
    assert_eq!(call(&mut sender, CREATE).await.unwrap().0, 503);
    assert_eq!(vpcs(&mut sender).await, 1);
    let asked = witness.requests_after(1);
    let told: Vec<_> = asked.iter().map(|asked| (asked.action().unwrap(), asked.is_write())).collect();
    assert_eq!(told, [("ec2:CreateVpc".to_owned(), true), ("ec2:DescribeVpcs".to_owned(), false)]);
    assert_eq!((witness.take_fault(), witness.take_fault()), (1, 0));
    let account: AccountId = "111111111111".parse().unwrap();
    let new = |things: &Things| things[&account].difference(&before[&account]).cloned().collect::<Vec<_>>();
    let there = new(&witness.things(&regions));
    assert!(there.iter().any(|arn| arn.contains(":vpc/")), "{there:?}");

    let copied = Sandbox::open_copy(settings(None), witness.copy()).await.unwrap();
    assert_eq!(new(&copied.witness().things(&regions)), there);
    let mut copy = Serving::of(copied);
    let mut other = copy.connect().await;
    assert_eq!(call(&mut other, CREATE).await.unwrap().0, 200);
    assert_eq!((vpcs(&mut sender).await, vpcs(&mut other).await), (1, 2));
    serving.end().await;
    copy.end().await;
}

type Things = std::collections::BTreeMap<AccountId, std::collections::BTreeSet<String>>;
