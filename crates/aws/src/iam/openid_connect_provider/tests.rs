//! What IAM answers about providers is read, and the next call named.

use super::*;
use crate::iam::testing::{place, tag, tags};

const ISSUER: &str = "oidc.eks.us-east-1.amazonaws.com/id/A1";
const THUMBPRINT: &str = "0123456789abcdef0123456789abcdef01234567";

fn observe() -> Observed<OpenIdConnectProviderInputs, OpenIdConnectProviderOutputs> {
    let provider = GetOpenIdConnectProviderOutput::builder()
        .url(ISSUER)
        .client_id_list("sts.amazonaws.com")
        .thumbprint_list(THUMBPRINT.to_ascii_uppercase())
        .tags(tag("team", "a"))
        .build();
    let id = RemoteId::new(arn(&place(), &desired(&[])));
    let listing = Providers([(id.clone(), provider)].into());
    OpenIdConnectProvider::observe(&listing, &id).expect("it is listed")
}

fn desired(audiences: &[&str]) -> OpenIdConnectProviderInputs {
    OpenIdConnectProviderInputs {
        url: format!("https://{ISSUER}"),
        audiences: Some(audiences.iter().map(|audience| (*audience).to_owned()).collect()),
        thumbprints: None,
        tags: Some(tags([("team", "a")])),
    }
}

#[track_caller]
fn check(desired: &OpenIdConnectProviderInputs, expected: impl Into<Option<OpenIdConnectProviderStep>>) {
    assert_eq!(OpenIdConnectProvider::next_step(&observe(), Some(desired)), expected.into());
}

#[test]
fn an_address_has_one_form() {
    let whole = format!("https://{ISSUER}");
    assert_eq!(normalize_url(ISSUER), Ok(whole.clone()));
    assert_eq!(normalize_url(&whole), Ok(whole.clone()));
    assert_eq!(observe().inputs.url, whole);
    assert_eq!(observe().outputs.issuer, ISSUER);
    for wrong in ["", "https://", "http://a.example", "https://a.example:8443", "a.example?x=y", "a b"] {
        normalize_url(wrong).expect_err(wrong);
    }
}

#[test]
fn the_arn_is_known_beforehand() {
    let expected = format!("arn:aws:iam::111122223333:oidc-provider/{ISSUER}");
    assert_eq!(arn(&place(), &desired(&[])), expected);
    assert_eq!(observe().outputs.arn, expected);
}

#[test]
fn thumbprints_count_only_where_they_are_set() {
    check(&desired(&["sts.amazonaws.com"]), None);
    let with = |text: &str| {
        let thumbprints = [normalize_thumbprint(text).expect("it is one")].into();
        OpenIdConnectProviderInputs { thumbprints: Some(thumbprints), ..desired(&["sts.amazonaws.com"]) }
    };
    check(&with(THUMBPRINT), None);
    let colons = "FF:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67";
    let other = BTreeSet::from(["ff23456789abcdef0123456789abcdef01234567".to_owned()]);
    check(&with(colons), OpenIdConnectProviderStep::SetThumbprints(other));
    normalize_thumbprint("abc").expect_err("it is too short");
}

#[test]
fn audiences_come_and_go_one_by_one() {
    let add = OpenIdConnectProviderStep::AddAudience("b".to_owned());
    check(&desired(&["b", "c"]), add);
    let remove = OpenIdConnectProviderStep::RemoveAudience("sts.amazonaws.com".to_owned());
    check(&desired(&[]), remove);
    let tagged =
        OpenIdConnectProviderInputs { tags: Some(tags([("team", "b")])), ..desired(&["sts.amazonaws.com"]) };
    check(&tagged, OpenIdConnectProviderStep::Tag(TagStep::Set(tags([("team", "b")]).0)));
    assert_eq!(OpenIdConnectProvider::next_step(&observe(), None), Some(OpenIdConnectProviderStep::Delete));
}

#[test]
fn a_provider_that_is_in_the_way_is_named() {
    let error = ProviderError::new(ErrorClass::AlreadyExists, "CreateOpenIDConnectProvider", "Unknown");
    let told = explained(error, &place(), &desired(&[])).message;
    assert!(told.contains(&format!("arn:aws:iam::111122223333:oidc-provider/{ISSUER}")), "{told}");
    let other = ProviderError::new(ErrorClass::Throttled, "CreateOpenIDConnectProvider", "later");
    assert_eq!(explained(other, &place(), &desired(&[])).message, "later");
}
