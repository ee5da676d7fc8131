"""Serves moto on a loopback port of its own choice, prints the port, and ends when its standard input closes: the
test process holds the other end, so the server never outlives it, however the tests end."""

import json
import os
import sys
import threading

from moto.logs.responses import LogsResponse
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server


# What moto lacks: account-wide policies of CloudWatch Logs, by account and region.
ACCOUNT_POLICIES = {}


def put_account_policy(self):
    policy = {key: self._get_param(key) for key in ("policyName", "policyType", "policyDocument", "selectionCriteria")}
    policy = {key: value for key, value in policy.items() if value is not None}
    ACCOUNT_POLICIES.setdefault((self.current_account, self.region), []).append(policy)
    return json.dumps({"accountPolicy": policy})


def describe_account_policies(self):
    policies = ACCOUNT_POLICIES.get((self.current_account, self.region), [])
    wanted = [policy for policy in policies if policy["policyType"] == self._get_param("policyType")]
    return json.dumps({"accountPolicies": wanted})


LogsResponse.put_account_policy = put_account_policy
LogsResponse.describe_account_policies = describe_account_policies


class QuietHandler(MotoRequestHandler):
    def log_request(self, code="-", size="-"):
        pass


class RightRoots:
    """Names the outermost element of an answer of S3 as S3 does, where moto names it otherwise."""

    ROOTS = {
        b"GetBucketVersioningResponse": b"VersioningConfiguration",
        b"GetBucketNotificationResponse": b"NotificationConfiguration",
    }

    def __init__(self, application):
        self.application = application

    def __call__(self, environ, start_response):
        if environ.get("QUERY_STRING", "").split("=")[0] not in ("versioning", "notification"):
            return self.application(environ, start_response)
        started = {}

        def start(status, headers, exc_info=None):
            started.update(status=status, headers=headers)

        body = b"".join(self.application(environ, start))
        for wrong, right in self.ROOTS.items():
            body = body.replace(wrong, right)
        headers = [(key, value) for key, value in started["headers"] if key.lower() != "content-length"]
        start_response(started["status"], headers + [("Content-Length", str(len(body)))])
        return [body]


def end_with_parent():
    sys.stdin.buffer.read()
    os._exit(0)


application = RightRoots(DomainDispatcherApplication(create_backend_app))
server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=QuietHandler)
os.environ["MOTO_PORT"] = str(server.server_port)
threading.Thread(target=end_with_parent, daemon=True).start()
print(server.server_port, flush=True)
server.serve_forever()
