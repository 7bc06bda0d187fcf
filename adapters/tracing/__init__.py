"""Requests and the calls they lead to as OpenTelemetry spans; needs the extra `otel`."""
