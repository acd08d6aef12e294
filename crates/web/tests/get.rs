//! Getting what is at an address: where it leads, what breaks, what is too much.

#[path = "support/host.rs"]
mod host;

use straddle_engine::outside::{Outside, Substitute};
use straddle_web::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use straddle_web::{Patience, Question, Url, Web};

use host::{Asked, Host, Reply};

fn question(address: &str) -> Question {
    let headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static("Basic x"))]);
    Question { address: Url::parse(address).expect("it is an address"), headers, largest: 100 }
}

/// Asks a host that answers so; returns what came of it, and what it was asked.
async fn get(address: &str, answer: impl Fn(&Asked) -> Reply) -> (String, Vec<Asked>) {
    let host = Host::new().await;
    let web = Web::new(&host.outside(), Patience::FILES).expect("it can ask");
    let got = host.during(web.get(&question(address)), answer).await;
    let got = match got {
        Ok(answer) => {
            let body = String::from_utf8_lossy(&answer.body).into_owned();
            format!("{} {} {body}", answer.address, answer.status.as_u16())
        }
        Err(error) => error.to_string(),
    };
    (got, host.asked())
}

#[tokio::test]
async fn a_redirection_is_followed_without_who_asks() {
    let (got, asked) = get("http://a.example.com/x/y", |asked| match asked.address.as_str() {
        "http://a.example.com/x/y" => Reply::new(302, "").with("location", "../z"),
        "http://a.example.com/z" => Reply::new(307, "").with("location", "http://b.example.com/?key=1"),
        _ => Reply::new(200, "here"),
    })
    .await;
    assert_eq!(got, "http://b.example.com/?key=1 200 here");
    let told: Vec<_> = asked.iter().map(|asked| asked.header("authorization")).collect();
    assert_eq!(told, [Some("Basic x"), Some("Basic x"), None]);
}

#[tokio::test]
async fn what_leads_nowhere_is_an_error() {
    let (got, asked) = get("http://a.example.com/", |_| Reply::new(302, "").with("location", "/")).await;
    assert_eq!(got, "it leads on to another address more than 10 times");
    assert_eq!(asked.len(), 11);
    let (got, _) = get("http://a.example.com/", |_| Reply::new(302, "").with("location", "file:///x")).await;
    assert!(got.starts_with("it leads on to "), "{got}");
    let (got, _) = get("http://a.example.com/", |_| Reply::new(404, "no such thing")).await;
    assert_eq!(got, "http://a.example.com/ 404 no such thing");
}

#[tokio::test]
async fn what_breaks_off_is_tried_again() {
    let first = std::cell::Cell::new(true);
    let (got, asked) = get("http://a.example.com/", |_| {
        let reply = Reply::new(200, "all of it");
        if first.replace(false) { reply.broken_after(3) } else { reply }
    })
    .await;
    assert_eq!((got.as_str(), asked.len()), ("http://a.example.com/ 200 all of it", 2));
    let (got, asked) = get("http://a.example.com/", |_| Reply::new(200, "all of it").broken_after(3)).await;
    assert!(got.starts_with("the answer broke off: "), "{got}");
    assert_eq!(asked.len(), 3);
    let (got, asked) = get("http://a.example.com/", |_| Reply::new(503, "later")).await;
    assert_eq!((got.as_str(), asked.len()), ("http://a.example.com/ 503 later", 3));
}

#[tokio::test]
async fn too_much_is_refused() {
    for reply in [|| Reply::new(200, vec![0; 101]), || Reply::new(200, vec![0; 101]).broken_after(101)] {
        let (got, asked) = get("http://a.example.com/", |_| reply()).await;
        assert_eq!((got.as_str(), asked.len()), ("it has more than 100 bytes", 1));
    }
    let (got, _) = get("http://a.example.com/", |_| Reply::new(200, vec![b'x'; 100])).await;
    assert!(got.ends_with("xxx"), "{got}");
}

#[tokio::test]
async fn the_host_that_is_meant_is_named() {
    let host = Host::new().await;
    let web = Web::new(&host.outside(), Patience::FILES).expect("it can ask");
    for address in ["http://a.example.com:8080/x", "http://192.0.2.1/x"] {
        let address = Url::parse(address).expect("it is an address");
        host.during(web.get(&question(address.as_str())), |_| Reply::new(200, ""))
            .await
            .expect("it is answered");
        assert_eq!(host.addresses(), [address.as_str()]);
    }
}

#[tokio::test]
async fn nobody_there_is_told() {
    // The listener is gone at once, and with it whoever might answer.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let closed = listener.local_addr().expect("it is bound");
    drop(listener);
    let substitute = Substitute { tls: closed, plain: closed, certificate_authority: String::new() };
    let web = Web::new(&Outside::Substitute(substitute), Patience::FILES).expect("it can ask");
    let error = web.get(&question("https://a.example.com/")).await.expect_err("nobody is there").to_string();
    assert!(error.starts_with("it cannot be reached: "), "{error}");
    assert!(!error.contains("example.com"), "the caller says what: {error}");
}
