"""`server/deploy/kubernetes`: the manifests fit the schemas of Kubernetes, each other and the service."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from facematch_server.routes.health import health, metrics
from facematch_server.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "server" / "deploy" / "kubernetes"
# The oldest and the newest release whose schemas the validator has are far apart; these are in use.
RELEASES = ("1.30", "1.34", "1.37")
# Kinds that are not of Kubernetes itself: kustomize reads the one, the Prometheus operator the other.
NO_SCHEMA = {"Kustomization", "ServiceMonitor"}


def _read(name: str) -> dict[str, Any]:
    yaml = pytest.importorskip("yaml", reason="needs the package PyYAML")
    document: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text("utf-8"))
    return document


def _names() -> list[str]:
    return sorted(path.name for path in FOLDER.glob("*.yaml"))


def _container(name: str = "deployment.yaml") -> dict[str, Any]:
    container: dict[str, Any] = _pod(name)["containers"][0]
    return container


def _pod(name: str = "deployment.yaml") -> dict[str, Any]:
    pod: dict[str, Any] = _read(name)["spec"]["template"]["spec"]
    return pod


@pytest.mark.slow
@pytest.mark.parametrize("name", _names())
def test_it_fits_the_schemas(name: str) -> None:
    validator = pytest.importorskip("kubernetes_validate", reason="needs the package kubernetes-validate")
    document = _read(name)
    if document["kind"] in NO_SCHEMA:
        assert name in ("kustomization.yaml", "service-monitor.yaml")
        return
    for release in RELEASES:
        validator.validate(document, release, strict=True)


def test_a_field_with_a_spelling_mistake_is_found() -> None:
    validator = pytest.importorskip("kubernetes_validate", reason="needs the package kubernetes-validate")
    document = _read("deployment.yaml")
    document["spec"]["template"]["spec"]["containers"][0]["readinesProbe"] = {}
    with pytest.raises(validator.ValidationError):
        validator.validate(document, RELEASES[-1], strict=True)


def test_kustomize_takes_every_manifest_but_those_applied_by_hand() -> None:
    by_hand = {"kustomization.yaml", "secret.example.yaml", "schema.yaml", "service-monitor.yaml"}
    assert set(_read("kustomization.yaml")["resources"]) == set(_names()) - by_hand


def test_labels_and_names_agree() -> None:
    labels = _read("deployment.yaml")["spec"]["template"]["metadata"]["labels"]
    name = _read("deployment.yaml")["metadata"]["name"]
    job_labels = _read("schema.yaml")["spec"]["template"]["metadata"]["labels"]
    assert _read("deployment.yaml")["spec"]["selector"]["matchLabels"] == labels
    assert _read("service.yaml")["spec"]["selector"] == labels
    assert _read("disruption-budget.yaml")["spec"]["selector"]["matchLabels"] == labels
    assert (
        _read("service-monitor.yaml")["spec"]["selector"]["matchLabels"] == _read("service.yaml")["metadata"]["labels"]
    )
    assert _read("autoscaler.yaml")["spec"]["scaleTargetRef"]["name"] == name
    (chosen,) = _read("network-policy.yaml")["spec"]["podSelector"]["matchExpressions"]
    assert set(chosen["values"]) == {*labels.values(), *job_labels.values()}
    sources = {next(iter(source.values()))["name"] for source in _container()["envFrom"]}
    assert sources == {_read("configmap.yaml")["metadata"]["name"], _read("secret.example.yaml")["metadata"]["name"]}


def test_the_probes_and_the_scrape_ask_what_the_service_answers() -> None:
    ports = {port["name"]: port["containerPort"] for port in _container()["ports"]}
    served = {route.path for router in (health, metrics) for route in router.routes}  # type: ignore[attr-defined]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        request = _container()[probe]["httpGet"]
        assert request["path"] in served, probe
        assert request["port"] in ports, probe
    for endpoint in _read("service-monitor.yaml")["spec"]["endpoints"]:
        assert endpoint["path"] in served
        assert endpoint["port"] in {port["name"] for port in _read("service.yaml")["spec"]["ports"]}
    assert {port["targetPort"] for port in _read("service.yaml")["spec"]["ports"]} == set(ports)
    image = (ROOT / "server" / "deploy" / "Containerfile").read_text("utf-8")
    assert f"FACEMATCH_PORT={ports['api']}" in image
    assert str(ports["internal"]) == _read("configmap.yaml")["data"]["FACEMATCH_INTERNAL_PORT"]


def test_settings_exist_and_the_grace_period_covers_the_drain() -> None:
    data = _read("configmap.yaml")["data"]
    settings = Settings(**{name.removeprefix("FACEMATCH_").lower(): value for name, value in data.items()})
    secret = _read("secret.example.yaml")["stringData"]
    assert {f"FACEMATCH_{name.upper()}" for name in Settings.model_fields} >= {*data, *secret}
    end = settings.drain_seconds + settings.shutdown_seconds + 2
    assert end < _pod()["terminationGracePeriodSeconds"]
    # The drain outlasts the time in which the readiness probe notices it.
    readiness = _container()["readinessProbe"]
    assert settings.drain_seconds > readiness["periodSeconds"] * readiness["failureThreshold"]
    assert settings.url_policy == "off"


@pytest.mark.parametrize("name", ["deployment.yaml", "schema.yaml"])
def test_the_pods_are_allowed_nothing(name: str) -> None:
    pod, container = _pod(name), _container(name)
    user = re.search(r"^USER (\d+):(\d+)$", (ROOT / "server" / "deploy" / "Containerfile").read_text("utf-8"), re.M)
    assert user is not None
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert (pod["securityContext"]["runAsUser"], pod["securityContext"]["runAsGroup"]) == tuple(map(int, user.groups()))
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    # Otherwise a Service named `facematch` would add FACEMATCH_PORT and others.
    assert pod["enableServiceLinks"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"].keys() >= {"cpu", "memory"}


def test_the_way_out_leads_to_names_and_the_database_only() -> None:
    policy = _read("network-policy.yaml")["spec"]
    assert set(policy["policyTypes"]) == {"Ingress", "Egress"}
    assert [sorted(port["port"] for port in rule["ports"]) for rule in policy["egress"]] == [[53, 53], [5432]]
    assert all(rule["to"] for rule in policy["egress"])
    assert all(rule["from"] for rule in policy["ingress"])
