"""A manifest without findings, and the ways in which tests spoil it."""

from __future__ import annotations

from adapters.wadm_manifest.check import check_files, read_file

GOOD = """\
apiVersion: core.oam.dev/v1beta1
kind: Application
metadata:
  name: shop
  annotations:
    description: two components and a provider
spec:
  policies:
    - name: main
      type: policy.secret.wasmcloud.dev/v1alpha1
      properties:
        backend: infisical
        environment: prod
  components:
    - name: checkout
      type: component
      properties:
        image: registry.example.com/checkout:1.0.0
        secrets:
          - name: api-key
            properties:
              policy: main
              key: API_KEY
              version: "3"
          - name: card
            properties: {policy: main, key: live/CARD, field: password}
      traits:
        - type: spreadscaler
          properties: {instances: 1}
        - type: link
          properties:
            namespace: wasi
            package: blobstore
            interfaces: [blobstore]
            source:
              secrets:
                - name: container
                  properties: {policy: main, key: CONTAINER}
            target:
              name: files
              secrets:
                - name: bucket-token
                  properties: {policy: main, key: BUCKET_TOKEN}
    - name: mail
      type: component
      properties:
        image: registry.example.com/mail:1.0.0
        secrets:
          - name: mail-key
            properties: {policy: main, key: MAIL_KEY}
    - name: files
      type: capability
      properties:
        image: registry.example.com/blobstore-s3:1.0.0
        secrets:
          - name: files-login
            properties: {policy: main, key: FILES_LOGIN}
"""


def spoilt(*changes: tuple[str, str]) -> str:
    """Return the good manifest with texts exchanged, each of which stands in it."""
    text = GOOD
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return text


def codes(text: str, *backends: str) -> list[tuple[int, str]]:
    """Return the line and code of each finding."""
    file = read_file("shop.yaml", text.encode())
    check_files([file], backends)
    return [(finding.line, finding.code) for finding in file.sorted_findings]
