"""Rows that tests without processes start from."""

from datetime import UTC, datetime

import sqlalchemy as sa

from bot.subhosting.store import deployments, projects
from bot.subhosting.store.engine import Database
from bot.subhosting.store.records import DeploymentRecord, ProjectRecord, Status
from bot.subhosting.store.tables import organizations

MADE = datetime(2026, 1, 1, tzinfo=UTC)


def insert_deployment(database: Database, deployment: str, project: str) -> DeploymentRecord:
    """Add a deployment of a project, which is added too if need be."""
    record = deployment_record(deployment, project)
    with database.writing() as connection:
        organization = connection.scalar(sa.select(organizations.c.id))
        assert organization is not None
        if projects.find(connection, organization, project) is None:
            owner = ProjectRecord(
                id=project,
                organization_id=organization,
                name=project,
                description="",
                created_at=MADE,
                updated_at=MADE,
            )
            projects.insert(connection, owner)
        deployments.insert(connection, record)
    return record


def deployment_record(deployment: str, project: str) -> DeploymentRecord:
    """Return a deployment that is nowhere stored."""
    return DeploymentRecord(
        id=deployment,
        project_id=project,
        idempotency_key=None,
        status=Status.SUCCESS,
        description=None,
        manifest_digest="",
        entry_point="main.ts",
        env_vars={},
        domains=(),
        request_timeout=None,
        created_at=MADE,
        updated_at=MADE,
    )
