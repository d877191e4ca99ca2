"""Ask the real cloud-init. Reads one JSON request on standard input.

{"split": [base64, ...]}  what cloud-init takes each user-data apart into:
    [{"type", "name", "data"}], or {"error": text} where it refuses it
{"handle": base64}  runs cloud-init's own handlers in an empty folder:
    {"config": merged cloud-config, "scripts": {name: text}, "log": [lines]}
{"yaml": [text, ...]}  the top-level key reveille of each, as JSON text:
    {"has": bool, "value": text}, or {"error": text}
"""
import base64
import json
import logging
import os
import sys
import tempfile

import yaml
from cloudinit import handlers, helpers, user_data, util
from cloudinit.handlers.cloud_config import CloudConfigPartHandler
from cloudinit.handlers.shell_script import ShellScriptPartHandler


class Keep(logging.Handler):
    def __init__(self):
        super().__init__(logging.WARNING)
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage())


class DataSource:
    """As much of a datasource as Paths needs for an instance folder."""

    def get_instance_id(self):
        return "i-0123456789abcdef0"


def paths():
    folder = tempfile.mkdtemp(dir=os.environ["TMPDIR"])
    p = helpers.Paths({"cloud_dir": folder, "run_dir": folder}, ds=DataSource())
    os.makedirs(p.get_ipath_cur("scripts"))
    return p


def split(blob):
    try:
        message = user_data.UserDataProcessor(paths()).process(blob)
    except Exception as e:
        return {"error": str(e)}
    parts = []
    for part in message.walk():
        if part.get_content_maintype() == "multipart":
            continue
        payload = util.fully_decoded_payload(part)
        if isinstance(payload, str):
            payload = payload.encode("utf-8", "surrogateescape")
        parts.append({
            "type": part.get_content_type(),
            "name": part.get_filename(),
            "data": base64.b64encode(payload or b"").decode(),
        })
    return parts


def handle(blob):
    keep = Keep()
    logging.getLogger("cloudinit").addHandler(keep)
    logging.getLogger("cloudinit").setLevel(logging.WARNING)
    p = paths()
    message = user_data.UserDataProcessor(p).process(blob)
    known = helpers.ContentHandlers()
    for h in (CloudConfigPartHandler(p), ShellScriptPartHandler(p)):
        known.register(h)
        handlers.call_begin(h, None, "once-per-instance")
        known.initialized.append(h)
    handlers.walk(message, handlers.walker_callback, data={
        "handlers": known, "handlerdir": p.get_ipath("handlers"), "data": None,
        "frequency": "once-per-instance", "handlercount": 0, "excluded": [],
    })
    for h in known.initialized:
        handlers.call_end(h, None, "once-per-instance")
    folder = p.get_ipath_cur("scripts")
    return {
        "config": util.load_yaml(util.load_file(p.get_ipath("cloud_config"))),
        "scripts": {n: util.load_file(os.path.join(folder, n)) for n in os.listdir(folder)},
        "log": keep.lines,
    }


def key(text):
    try:
        whole = yaml.safe_load(text)
    except Exception as e:
        return {"error": str(e)}
    if not isinstance(whole, dict) or "reveille" not in whole:
        return {"has": False}
    return {"has": True, "value": json.dumps(whole["reveille"], sort_keys=True, default=str)}


request = json.load(sys.stdin)
answer = {}
if "split" in request:
    answer["split"] = [split(base64.b64decode(b)) for b in request["split"]]
if "handle" in request:
    answer["handle"] = handle(base64.b64decode(request["handle"]))
if "yaml" in request:
    answer["yaml"] = [key(t) for t in request["yaml"]]
json.dump(answer, sys.stdout)
