"""Workflow tokens: one test for each claim, and for each way to forge a signature."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import timedelta

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from bot.subhosting.trust.issuer import GITHUB, IssuerKeys, IssuerUnavailable
from bot.subhosting.trust.oidc import (
    Allowed,
    Refused,
    RepositoryLink,
    TokenVerifier,
    Untrusted,
    WorkflowIdentity,
    may_deploy,
)
from tests.fakes.clock import NOON, FakeClock

ORIGIN = "https://subhosting.example"
NOON_S = int(NOON.timestamp())

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
WEAK_KEY = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - refused

GOOD: dict[str, object] = {
    "iss": GITHUB,
    "aud": f"{ORIGIN}/projects/shop",
    "sub": "repo:octo/shop:ref:refs/heads/main",
    "exp": NOON_S + 300,
    "nbf": NOON_S - 300,
    "iat": NOON_S,
    "jti": "1",
    "repository": "octo/shop",
    "repository_id": "74",
    "repository_owner_id": "65",
    "ref": "refs/heads/main",
    "sha": "a" * 40,
    "event_name": "push",
    "run_id": "30433642",
}


def jwk(key: rsa.RSAPrivateKey, kid: str, **changes: object) -> dict[str, object]:
    public = json.loads(RSAAlgorithm.to_jwk(key.public_key()))
    return {"kty": "RSA", "n": public["n"], "e": public["e"], "kid": kid} | changes


class FakeIssuer:
    """A stateful issuer: what it publishes can change, and it counts its visitors."""

    def __init__(self) -> None:
        self.keys: list[object] = [jwk(KEY, "one", use="sig", alg="RS256")]
        self.jwks_uri = f"{GITHUB}/.well-known/jwks"
        self.issuer = GITHUB
        self.away = False
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(str(request.url))
        if self.away:
            return httpx.Response(503)
        if request.url.path == "/.well-known/openid-configuration":
            return httpx.Response(200, json={"issuer": self.issuer, "jwks_uri": self.jwks_uri})
        return httpx.Response(200, json={"keys": self.keys})


class Bench:
    """A verifier with everything around it."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.issuer = FakeIssuer()
        client = httpx.Client(transport=httpx.MockTransport(self.issuer))
        keys = IssuerKeys(GITHUB, client, self.clock)
        self.verifier = TokenVerifier(ORIGIN, keys, self.clock)

    def verify(self, token: str, project: str = "shop") -> WorkflowIdentity | Untrusted:
        return self.verifier.verify(token, project)

    def reason(self, token: str) -> str:
        found = self.verify(token)
        assert isinstance(found, Untrusted)
        return found.reason


@pytest.fixture
def bench() -> Bench:
    return Bench()


def signed(
    claims: dict[str, object], *, key: rsa.RSAPrivateKey = KEY, kid: str | None = "one"
) -> str:
    return jwt.encode(claims, key, algorithm="RS256", headers={"kid": kid} if kid else None)


def encoded(part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def test_a_good_token_says_who_the_run_is(bench: Bench) -> None:
    assert bench.verify(signed(GOOD)) == WorkflowIdentity(
        repository_id=74,
        repository="octo/shop",
        repository_owner_id=65,
        ref="refs/heads/main",
        sha="a" * 40,
        event_name="push",
        run_id=30433642,
    )


@pytest.mark.parametrize("claim", sorted(set(GOOD) - {"jti"}))
def test_a_token_without_a_claim_proves_nothing(bench: Bench, claim: str) -> None:
    claims = {name: found for name, found in GOOD.items() if name != claim}

    assert bench.reason(signed(claims)).startswith(f"{claim}:")


@pytest.mark.parametrize(
    ("claim", "wrong"),
    [
        ("iss", "https://token.actions.githubusercontent.com/"),
        ("iss", "https://token.actions.githubusercontent.com.evil.example"),
        ("aud", f"{ORIGIN}/projects/shop/"),
        ("aud", f"{ORIGIN}/projects/other"),
        ("aud", "https://evil.example/projects/shop"),
        ("aud", [f"{ORIGIN}/projects/shop"]),
        ("aud", [f"{ORIGIN}/projects/shop", "https://evil.example"]),
        ("exp", NOON_S - 60),
        ("exp", str(NOON_S + 300)),
        ("exp", True),
        ("exp", 1e400),
        ("nbf", NOON_S + 61),
        ("nbf", None),
        ("iat", NOON_S + 61),
        ("sub", ""),
        ("repository", "shop"),
        ("repository", 74),
        ("repository_id", "seventy-four"),
        ("repository_id", 74),
        ("repository_id", "\u0667\u0664"),
        ("repository_owner_id", ""),
        ("ref", "main"),
        ("sha", "abc"),
        ("event_name", "push\n"),
        ("event_name", ["push"]),
        ("run_id", "-1"),
    ],
)
def test_a_changed_claim_is_named(bench: Bench, claim: str, wrong: object) -> None:
    header = encoded({"alg": "RS256", "kid": "one", "typ": "JWT"})
    body = f"{header}.{encoded({**GOOD, claim: wrong})}"
    signature = RSAAlgorithm(RSAAlgorithm.SHA256).sign(body.encode(), KEY)
    token = f"{body}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"

    assert bench.reason(token).startswith(f"{claim}:")


@pytest.mark.parametrize(("claim", "at"), [("exp", -59), ("nbf", 60), ("iat", 60)])
def test_clocks_may_differ_by_a_minute(bench: Bench, claim: str, at: int) -> None:
    token = signed({**GOOD, claim: NOON_S + at})

    assert isinstance(bench.verify(token), WorkflowIdentity)


def test_the_token_of_another_project_is_for_that_one_only(bench: Bench) -> None:
    assert isinstance(bench.verify(signed(GOOD), "other"), Untrusted)


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE"])
def test_a_token_without_signature_is_refused(bench: Bench, algorithm: str) -> None:
    token = f"{encoded({'alg': algorithm, 'kid': 'one'})}.{encoded(GOOD)}."

    assert "must be signed with RS256" in bench.reason(token)


def test_the_public_key_is_no_hmac_secret(bench: Bench) -> None:
    public = KEY.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    body = f"{encoded({'alg': 'HS256', 'kid': 'one'})}.{encoded(GOOD)}"
    signature = hmac.new(public, body.encode(), hashlib.sha256).digest()
    token = f"{body}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"

    assert "RS256" in bench.reason(token)


@pytest.mark.parametrize("algorithm", ["RS384", "RS512", "PS256"])
def test_no_other_algorithm_will_do(bench: Bench, algorithm: str) -> None:
    token = jwt.encode(GOOD, KEY, algorithm=algorithm, headers={"kid": "one"})

    assert "RS256" in bench.reason(token)


def test_a_signature_by_another_key_is_wrong(bench: Bench) -> None:
    assert bench.reason(signed(GOOD, key=OTHER_KEY)) == "the token's signature is wrong"


def test_a_key_counts_under_its_own_id_only(bench: Bench) -> None:
    bench.issuer.keys.append(jwk(OTHER_KEY, "two"))

    assert bench.reason(signed(GOOD, key=OTHER_KEY)) == "the token's signature is wrong"
    assert isinstance(bench.verify(signed(GOOD, key=OTHER_KEY, kid="two")), WorkflowIdentity)


def test_an_unknown_or_missing_key_id_is_refused(bench: Bench) -> None:
    assert "not one of the issuer's" in bench.reason(signed(GOOD, kid="nobody"))
    assert "with an id" in bench.reason(signed(GOOD, kid=None))


def test_a_key_that_the_token_brings_along_is_not_looked_at(bench: Bench) -> None:
    headers = {"kid": "mine", "jwk": jwk(OTHER_KEY, "mine"), "jku": "https://evil.example/keys"}
    token = jwt.encode(GOOD, OTHER_KEY, algorithm="RS256", headers=headers)

    assert "not one of the issuer's" in bench.reason(token)
    assert {httpx.URL(url).host for url in bench.issuer.asked} == {httpx.URL(GITHUB).host}


@pytest.mark.parametrize(
    "changes", [{"use": "enc"}, {"alg": "RS512"}, {"kty": "EC"}, {"n": "!"}, {"e": None}]
)
def test_a_key_for_something_else_does_not_sign_tokens(
    bench: Bench, changes: dict[str, object]
) -> None:
    bench.issuer.keys = [jwk(KEY, "one", **changes), "not a key"]

    assert "not one of the issuer's" in bench.reason(signed(GOOD))


def test_a_weak_key_does_not_count(bench: Bench) -> None:
    bench.issuer.keys = [jwk(WEAK_KEY, "weak")]
    body = f"{encoded({'alg': 'RS256', 'kid': 'weak'})}.{encoded(GOOD)}"

    assert "not one of the issuer's" in bench.reason(f"{body}.AAAA")


@pytest.mark.parametrize("token", ["", "a.b.c", "\u00e4", "a" * 20_000, "....", "e30.e30.e30"])
def test_what_is_no_token_is_refused(bench: Bench, token: str) -> None:
    assert isinstance(bench.verify(token), Untrusted)


def elsewhere(issuer: FakeIssuer) -> None:
    issuer.jwks_uri = "https://evil.example/.well-known/jwks"


def unencrypted(issuer: FakeIssuer) -> None:
    issuer.jwks_uri = issuer.jwks_uri.replace("https", "http")


def with_user(issuer: FakeIssuer) -> None:
    issuer.jwks_uri = issuer.jwks_uri.replace("https://", "https://user@")


def at_no_address(issuer: FakeIssuer) -> None:
    issuer.jwks_uri = "https://[::1"


def of_another(issuer: FakeIssuer) -> None:
    issuer.issuer = "https://evil.example"


@pytest.mark.parametrize("break_", [elsewhere, unencrypted, with_user, at_no_address, of_another])
def test_keys_come_from_the_issuer_s_own_host_or_not_at_all(
    bench: Bench, break_: Callable[[FakeIssuer], None]
) -> None:
    break_(bench.issuer)

    with pytest.raises(IssuerUnavailable):
        bench.verify(signed(GOOD))
    assert bench.issuer.asked == [f"{GITHUB}/.well-known/openid-configuration"]


def test_a_redirect_of_the_issuer_is_not_followed() -> None:
    asked: list[str] = []

    def redirect(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(302, headers={"Location": "https://evil.example/"})

    client = httpx.Client(transport=httpx.MockTransport(redirect), follow_redirects=True)
    with pytest.raises(IssuerUnavailable):
        IssuerKeys(GITHUB, client, FakeClock()).find("one")
    assert len(asked) == 1


def test_keys_are_fetched_once(bench: Bench) -> None:
    for _ in range(3):
        bench.verify(signed(GOOD))

    assert len(bench.issuer.asked) == 2


def test_a_new_key_is_found_and_made_up_ids_do_not_hammer_the_issuer(bench: Bench) -> None:
    bench.verify(signed(GOOD))
    bench.issuer.keys.append(jwk(OTHER_KEY, "two"))
    for _ in range(10):
        assert isinstance(bench.verify(signed(GOOD, key=OTHER_KEY, kid="two")), Untrusted)
    assert len(bench.issuer.asked) == 2

    bench.clock.move(timedelta(seconds=60))

    assert isinstance(bench.verify(signed(GOOD, key=OTHER_KEY, kid="two")), WorkflowIdentity)
    assert len(bench.issuer.asked) == 4


def test_a_withdrawn_key_is_forgotten_after_an_hour(bench: Bench) -> None:
    bench.verify(signed(GOOD))
    bench.issuer.keys = [jwk(OTHER_KEY, "two")]
    bench.clock.move(timedelta(hours=1, seconds=1))

    assert "not one of the issuer's" in bench.reason(signed({**GOOD, "exp": NOON_S + 9999}))


def test_known_keys_outlive_an_issuer_that_is_away_for_a_day_at_most(bench: Bench) -> None:
    token = signed({**GOOD, "exp": NOON_S + 10**6})
    bench.verify(token)
    bench.issuer.away = True

    bench.clock.move(timedelta(hours=23))
    assert isinstance(bench.verify(token), WorkflowIdentity)
    bench.clock.move(timedelta(hours=2))
    with pytest.raises(IssuerUnavailable):
        bench.verify(token)


@pytest.mark.parametrize("issuer", ["http://example.com", "https://example.com/", "ftp://a.b"])
def test_an_issuer_must_be_https(issuer: str) -> None:
    with pytest.raises(ValueError, match="https"):
        IssuerKeys(issuer, httpx.Client(), FakeClock())


def identity(**changes: str) -> WorkflowIdentity:
    return WorkflowIdentity(
        repository_id=74,
        repository="octo/shop",
        repository_owner_id=65,
        ref=changes.get("ref", "refs/heads/main"),
        sha="a" * 40,
        event_name=changes.get("event_name", "push"),
        run_id=1,
    )


LINK = RepositoryLink(repository_id=74, default_branch="main")


def test_the_default_branch_deploys_to_production() -> None:
    assert may_deploy(identity(), LINK) == Allowed(production=True)


@pytest.mark.parametrize(
    "ref",
    ["refs/heads/feature", "refs/tags/main", "refs/pull/7/merge", "refs/heads/main2", "main"],
)
def test_everything_else_is_a_preview(ref: str) -> None:
    assert may_deploy(identity(ref=ref), LINK) == Allowed(production=False)


@pytest.mark.parametrize("event", ["pull_request", "workflow_run", "issue_comment"])
def test_events_that_strangers_start_never_reach_production(event: str) -> None:
    assert may_deploy(identity(event_name=event), LINK) == Allowed(production=False)


def test_an_unknown_default_branch_means_no_production() -> None:
    link = RepositoryLink(repository_id=74, default_branch=None)

    assert may_deploy(identity(), link) == Allowed(production=False)


def test_without_a_link_nobody_deploys() -> None:
    found = may_deploy(identity(), None)

    assert isinstance(found, Refused)
    assert found.code == "projectNotLinked"


def test_another_repository_does_not_deploy_even_under_the_same_name() -> None:
    found = may_deploy(identity(), RepositoryLink(repository_id=75, default_branch="main"))

    assert isinstance(found, Refused)
    assert found.code == "repositoryNotLinked"


def test_pull_request_target_does_not_deploy() -> None:
    found = may_deploy(identity(event_name="pull_request_target"), LINK)

    assert isinstance(found, Refused)
    assert found.code == "eventNotAllowed"
