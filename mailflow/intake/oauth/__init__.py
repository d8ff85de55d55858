"""Login by OAuth2 for mailboxes at Google and Microsoft 365: a person logs in once, and tokens are renewed from then on."""

from mailflow.intake.oauth.tokens import Tokens, login
from mailflow.intake.oauth.trouble import LoginNeeded, TokenUnavailable

__all__ = ["LoginNeeded", "TokenUnavailable", "Tokens", "login"]
