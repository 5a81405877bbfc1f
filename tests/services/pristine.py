"""Make the pristine database: Redmine's tables, its English default data, and the people of world.json.

Standard library only. Needs root: Debian keeps a Redmine instance's settings below /etc.
"""

import os
import secrets
import shutil
from pathlib import Path

from tests.services.debian import run_as_root
from tests.services.layout import HERE, INSTANCE, WORLD, pristine_archive, services_folder
from tests.services.postgres import OWNER, Cluster
from tests.services.processes import own, private_folder, remove_folder, run
from tests.services.redmine import APPLICATION, environment

CONFIG = Path("/etc/redmine") / INSTANCE
LOCK_FILE = Path("/var/lib/redmine/Gemfile.lock")

ROLES = f"""
create role redmine login password 'redmine';
create role {OWNER} login password '{OWNER}';
create database pristine owner redmine;
"""

# Host and port come from PGHOST and PGPORT: every test run has its own cluster.
DATABASE_YML = """production:
  adapter: postgresql
  database: <%= ENV.fetch('HELPDESK_DATABASE', 'redmine') %>
  username: redmine
  encoding: utf8
  pool: 10
"""

CONFIGURATION_YML = """default:
  attachments_storage_path: <%= ENV.fetch('HELPDESK_FILES', '/nonexistent') %>
"""


def write_instance_files() -> None:
    """Create the Debian instance; its settings are readable by all, since they hold nothing secret."""
    run_as_root([str(APPLICATION / "bin/redmine-instances"), "create", INSTANCE])
    for name, text in {"database.yml": DATABASE_YML, "configuration.yml": CONFIGURATION_YML}.items():
        (CONFIG / name).write_text(text)
    secret = CONFIG / "secret_key.txt"
    if not secret.exists():
        secret.write_text(secrets.token_hex(64))
    for path in CONFIG.iterdir():
        path.chmod(0o644)
    shared_cache = Path("/var/cache/redmine") / INSTANCE / "tmp"
    shared_cache.chmod(0o1777)  # thumbnails: several test runs, perhaps of several users


def bundle() -> None:
    """Write Redmine's Gemfile.lock anew: its Gemfile takes the database driver from our database.yml."""
    LOCK_FILE.unlink(missing_ok=True)
    run_as_root(["bundle", "install", "--local", "--quiet"], cwd=APPLICATION)
    LOCK_FILE.chmod(0o644)


def make_pristine() -> None:
    """Build the database in a cluster of its own and put that cluster's archive into place in one step."""
    folder = services_folder() / f"building-{os.getpid()}"
    private_folder(folder)
    cluster = Cluster(folder)
    try:
        write_instance_files()
        bundle()
        cluster.create()
        cluster.start()
        cluster.psql(ROLES)
        fill(cluster)
        cluster.stop()
        unfinished = folder / pristine_archive().name
        cluster.archive(unfinished)
        unfinished.replace(pristine_archive())
    finally:
        cluster.stop()
        remove_folder(folder)


def fill(cluster: Cluster) -> None:
    """Run Redmine's migrations, then the seed: default data and the world."""
    private_folder(cluster.folder / "files")
    names = {
        "HELPDESK_DATABASE": "pristine",
        "HELPDESK_WORLD": str(cluster.folder / WORLD.name),
    }
    env = environment(cluster, cluster.folder) | names
    for source in (WORLD, HERE / "seed.rb"):  # the service user need not be able to read our checkout
        own(Path(shutil.copy(source, cluster.folder / source.name)))
    run(["bin/rake", "db:migrate"], env=env, cwd=APPLICATION, timeout_s=300)
    run(["bin/rails", "runner", str(cluster.folder / "seed.rb")], env=env, cwd=APPLICATION)
