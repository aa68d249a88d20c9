"""The routes of the pages. They read the store and change nothing."""

from flask import Blueprint, jsonify, render_template
from flask.typing import ResponseReturnValue

from bot.core.model.ids import DeploymentId
from bot.web import auth
from bot.web.pages.presenters import DeploymentView, view
from bot.web.services import WebServices

RECENT = 50


def blueprint(services: WebServices) -> Blueprint:
    """Return the list, the page of one deployment, and its JSON twin."""
    routes = Blueprint("pages", __name__)
    store = services.store

    @routes.before_request
    def guard() -> None:
        auth.require(services.admin_token)

    def found(key: str) -> DeploymentView:
        deployment = store.deployment(DeploymentId(key))
        return view(deployment, store.stages(deployment.id), store.log(deployment.id))

    @routes.get("/")
    def recent() -> ResponseReturnValue:
        return render_template("recent.html", deployments=[view(d) for d in store.recent(RECENT)])

    @routes.get("/deployments/<key>")
    def deployment(key: str) -> ResponseReturnValue:
        return render_template("deployment.html", deployment=found(key))

    @routes.get("/api/deployments/<key>")
    def document(key: str) -> ResponseReturnValue:
        return jsonify(found(key).document())

    return routes
