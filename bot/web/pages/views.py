"""The routes of the pages. They read the store and change nothing."""

from flask import Blueprint, jsonify, render_template
from flask.typing import ResponseReturnValue

from bot.core.model.errors import RecordNotFound
from bot.core.model.ids import DeploymentId, TargetDeploymentId
from bot.web import auth
from bot.web.pages.presenters import DeploymentView, log_view, view
from bot.web.services import WebServices

RECENT = 50


def blueprint(services: WebServices) -> Blueprint:
    """Return the list, the page of one deployment, its JSON twin, and apps' logs."""
    routes = Blueprint("pages", __name__)
    store = services.store

    @routes.before_request
    def guard() -> None:
        auth.require(services.admin_token)

    def found(key: str) -> DeploymentView:
        deployment = store.deployment(DeploymentId(key))
        return view(
            deployment,
            store.stages(deployment.id),
            store.log(deployment.id),
            keeps_app_logs=services.app_log is not None,
        )

    @routes.get("/")
    def recent() -> ResponseReturnValue:
        return render_template("recent.html", deployments=[view(d) for d in store.recent(RECENT)])

    @routes.get("/deployments/<key>")
    def deployment(key: str) -> ResponseReturnValue:
        return render_template("deployment.html", deployment=found(key))

    @routes.get("/logs/<key>")
    def app_log(key: str) -> ResponseReturnValue:
        read = services.app_log
        lines = None if read is None else read(TargetDeploymentId(key))
        if lines is None:
            raise RecordNotFound("log of an app", key)
        return render_template("app_log.html", log=log_view(key, lines))

    @routes.get("/api/deployments/<key>")
    def document(key: str) -> ResponseReturnValue:
        return jsonify(found(key).document())

    return routes
