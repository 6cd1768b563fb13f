"""A relay: ports 25 and 465 with TLS and a password, each on two addresses.

Usage: aiosmtpd.py CERTIFICATE SINK_HOST SINK_PORT
"""

import ssl
import sys
import threading

from aiosmtpd import controller
from aiosmtpd.handlers import Proxy
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


class Server(SMTP):
    """Takes the AUTH parameter of MAIL, as RFC 4954 section 5 wants of whoever offers AUTH."""

    def _getparams(self, parameters):
        return super()._getparams([it for it in parameters if not it.startswith("AUTH=")])


class Controller(controller.Controller):
    def factory(self):
        return Server(self.handler, **self.SMTP_kwargs)


def authenticate(server, session, envelope, mechanism, said):
    return AuthResult(success=said == LoginPassword(b"user", b"secret"), handled=False)


certificate, host, port = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate)
wants = {"authenticator": authenticate, "auth_required": True, "server_hostname": "relay.example"}
for address in ("127.0.0.1", "::1"):
    relay = Proxy(host, int(port))
    Controller(relay, address, 25, tls_context=context, require_starttls=True, **wants).start()
    # It takes its own TLS for none where that comes first.
    Controller(relay, address, 465, ssl_context=context, auth_require_tls=False, **wants).start()
threading.Event().wait()
