"""The left column of the import table: what each package may import. The right one is in pyproject.toml."""

import ast
import sys
from pathlib import Path

import pytest

from tests.house.tree import ROOT, shelved_modules

MAY_IMPORT = {
    "audit_log": {
        "aiokafka",
        "cryptography",
        "fastapi",
        "http_message_signatures",
        "httpx",
        "prometheus_client",
        "psycopg",
        "pydantic",
        "pydantic_core",
        "pydantic_settings",
        "referral_contracts",
        "service_chassis",
        "sqlalchemy",
    },
    "referral_contracts": {"cryptography", "pydantic", "pydantic_core"},
    "referral_bus": {
        "aiokafka",
        "cryptography",
        "http_message_signatures",
        "httpx",
        "pydantic",
        "referral_contracts",
        "referral_tls",
        "rich",
        "typer",
        "uvicorn",
    },
    "referral_bus_command": {"referral_bus"},
    "referral_tls": {"referral_contracts"},
    "service_chassis": {
        "aiokafka",
        "google_crc32c",
        "h11",
        "prometheus_client",
        "pydantic",
        "referral_contracts",
        "referral_tls",
        "structlog",
        "uvicorn",
    },
    "deadline_watcher": {
        "aiokafka",
        "cryptography",
        "prometheus_client",
        "pydantic",
        "pydantic_core",
        "pydantic_settings",
        "referral_contracts",
        "service_chassis",
        "structlog",
    },
    "operator_commands": {
        "audit_log",
        "referral_bus",
        "referral_contracts",
        "referral_router",
        "referral_tls",
        "rich",
        "service_chassis",
        "typer",
    },
    "referral_router": {
        "aiokafka",
        "prometheus_client",
        "pydantic",
        "pydantic_core",
        "pydantic_settings",
        "referral_contracts",
        "service_chassis",
        "structlog",
    },
}


def imported_by(path: Path) -> set[str]:
    """Return the top-level packages that a module imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add(node.module or "")
    return {name.split(".")[0] for name in found}


@pytest.mark.parametrize("path", shelved_modules(), ids=str)
def test_a_module_imports_only_what_its_package_may(path: Path) -> None:
    package = path.parts[1]

    assert imported_by(path) - MAY_IMPORT[package] - {package} - sys.stdlib_module_names == set()
