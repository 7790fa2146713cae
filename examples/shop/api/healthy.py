"""Ends with 0 when the API answers, and reaches its database."""
import urllib.request

urllib.request.urlopen("http://127.0.0.1:8000/sold", timeout=2)
