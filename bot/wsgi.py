"""`gunicorn bot.wsgi:app`, for people who bring their own server; imported, it starts to work."""

from bot import logs
from bot.bootstrap.web import web_app
from bot.cli.start import start_settings

settings = start_settings()
logs.configure("web", settings.secrets())
app = web_app(settings)
