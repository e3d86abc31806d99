"""What a caller is told that did not prove who it is (RFC 6749 5.2): always the same."""

from broker.domain.refusals import Refusal, WhoseTask


class ClientNotAuthenticated(Refusal):
    """RFC 6749 5.2 `invalid_client`; the edge adds `WWW-Authenticate: Basic`."""

    code = "E-OIDC-14"
    whose_task = WhoseTask.SUPPLIER
    what = "The learning material could not prove to us who it is."
    remedy = "The supplier of the material must mend its keys or settings."
    http_status = 401
    oauth_error = "invalid_client"


class ClientAuthenticationAmbiguous(Refusal):
    """RFC 6749 2.3: more than one method in one request."""

    code = "E-OIDC-15"
    whose_task = WhoseTask.SUPPLIER
    what = "The learning material said in two ways who it is."
    remedy = "The supplier of the material must use one way only."
