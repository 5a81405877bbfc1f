# mypy: allow-untyped-calls
"""The viewer: pages, API and live channel over what the daemon has recorded."""

from typing import Any

from flask import Flask

from daemon.clients.erp import ErpClient, Patience
from daemon.clients.erp_settings import ErpSettings
from daemon.clients.redmine import RedmineClient
from daemon.clients.settings import RedmineSettings
from storage.session import Database
from web import (
    answers,
    assets,
    auth,
    cards,
    docs,
    formats,
    health,
    hosts,
    inbox,
    integrations,
    kinds,
    language,
    navigation,
    notifications,
    people,
    people_admin,
    policy,
    posts,
    schedules,
    security,
    stored,
    throttle,
    unsubscribe,
    users,
)
from web.board import views as board
from web.contract import spec
from web.doorkeeper import Doorkeeper
from web.erp import views as erp_views
from web.erp.login import ErpLogin
from web.finesse import asking as finesse
from web.finesse import views as calls
from web.following import Following
from web.hosts.watching import WatchingHosts
from web.live import Live
from web.passwords import Passwords
from web.push import devices as push_devices
from web.push import health as delivery
from web.push import receipts, subscribing, worker
from web.quality import views as quality
from web.rights import DEADLINE_S, Rights
from web.secret import FILE, read_or_make
from web.settings import ViewerSettings
from web.task import views as task
from web.task.watching import Watching
from web.tasks import rights as task_rights
from web.tasks import views as task_lists
from web.viewer import EXTENSION, Viewer

# A person waits for these answers; the daemon's own patience would be a minute.
LOGIN_DEADLINE_S = 8.0
# Nobody waits longer for others' questions to the ERP, nor an eighth of the threads at once; and so long
# nobody asks an ERP that did not answer: at a log-in the next backend is asked at once.
ERP_QUEUE_S, ERP_PAUSE_S = 2.0, 15.0
TASK_DEADLINE_S = 10.0


def create_app(settings: ViewerSettings, database: Database) -> Flask:
    """Build the viewer. Nothing runs yet: `viewer().live.start()` begins to follow the tables.

    Raises ConfigError where the file of the secret key cannot be used.
    """
    # Not before the fork: see web/metrics/sharing.py.
    from web.metrics import views as metrics
    from web.metrics.own import Own
    from web.metrics.tables import Tables

    app = Flask(__name__, static_url_path=assets.url_path())
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    figures = Own()
    figures.watch(app)
    key_file = settings.web.secret_key_file or settings.storage.directory / FILE
    security.register(app, settings.web, read_or_make(key_file))
    people.register(app, database)
    policy.register(app)
    language.register(app)
    formats.register(app)
    kinds.register(app)
    cards.register(app)
    answers.register(app)
    navigation.register(app)
    for blueprint in (
        auth.bp,
        notifications.bp,
        *inbox.BLUEPRINTS,
        health.bp,
        metrics.bp,
        docs.bp,
        task_lists.bp,
        board.bp,
        quality.bp,
        *task.BLUEPRINTS,
        posts.bp,
        integrations.bp,
        *hosts.BLUEPRINTS,
        erp_views.bp,
        calls.bp,
        people_admin.bp,
        *schedules.BLUEPRINTS,
        unsubscribe.bp,
        *users.BLUEPRINTS,
        subscribing.bp,
        receipts.bp,
        push_devices.bp,
        worker.bp,
        delivery.bp,
        stored.bp,
    ):
        app.register_blueprint(blueprint)
    brake = throttle.Throttle(app, settings.auth, settings.web.workers)
    brake.guard(app, security.LOGIN_ENDPOINT)
    for endpoint in users.password.GUARDED:
        brake.guard(app, endpoint, throttle.own_name)
    brake.slow(app, "receipts.receive", receipts.RATE)
    brake.slow(app, erp_views.ENDPOINT, erp_views.RATE, throttle.own_name)
    brake.slow(app, "unsubscribe.decide", unsubscribe.RATE)
    brake.slow(app, "push_devices.send_test", push_devices.TESTS_RATE)
    rights = Rights(database, _redmine(settings.redmine, DEADLINE_S))
    rights_of_tasks = task_rights.TaskRights(
        database, _redmine(settings.redmine, task_rights.CALL_S), settings.tasks
    )
    live = Live(app, database, rights, settings.web.public_url)
    Watching(live, database)
    WatchingHosts(live, database)
    erp = _erp(settings.erp, settings.web.threads)
    passwords = Passwords(
        database,
        settings.backends,
        _redmine(settings.redmine, LOGIN_DEADLINE_S),
        ErpLogin(erp, database) if erp else None,
    )
    redmine = _redmine(settings.redmine, TASK_DEADLINE_S)
    app.extensions[EXTENSION] = Viewer(
        settings,
        database,
        redmine,
        passwords,
        rights,
        live,
        brake,
        rights_of_tasks,
        erp,
        (*figures.collected(), Tables(database)),
    )
    live.rounds += [figures.looked(live.connections), Following(app).round]
    finesse.register(app, settings.finesse)
    spec.register(app)
    _wrap(app, settings, live)
    return app


def _redmine(settings: RedmineSettings | None, deadline_s: float) -> RedmineClient | None:
    if settings is None:
        return None
    shorter: dict[str, Any] = {
        "deadline_s": min(settings.deadline_s, deadline_s),
        "connect_timeout_s": min(settings.connect_timeout_s, deadline_s / 2),
        "retries": min(settings.retries, 1),
    }
    return RedmineClient(settings.model_copy(update=shorter))


def _erp(settings: ErpSettings | None, threads: int) -> ErpClient | None:
    if settings is None:
        return None
    shorter = {"deadline_s": min(settings.deadline_s, LOGIN_DEADLINE_S)}
    patience = Patience(queue_s=ERP_QUEUE_S, queue=max(1, threads // 8), pause_s=ERP_PAUSE_S)
    return ErpClient(settings.model_copy(update=shorter), patience)


def _wrap(app: Flask, settings: ViewerSettings, live: Live) -> None:
    """Lay the WSGI layers around: proxies are believed first, headers go on every answer."""
    kept = assets.Assets(app.wsgi_app, app.static_url_path or "")
    inner = Doorkeeper(kept, live.admit, is_full=lambda: live.connections() >= settings.web.tabs)
    outer = security.SecurityHeaders(inner, settings.web)
    app.wsgi_app = security.Proxies(outer, settings.web.trusted_proxies)  # type: ignore[method-assign]
