job "wasmcloud-secrets" {
  type = "service"

  group "secrets" {
    count = 2

    network {
      port "admin" {}
    }

    # 2 is a wrong setting: a restart does not mend it, so give up soon and say so.
    restart {
      attempts = 3
      interval = "5m"
      delay    = "5s"
      mode     = "fail"
    }

    update {
      max_parallel     = 1
      health_check     = "checks"
      min_healthy_time = "5s"
    }

    service {
      name     = "wasmcloud-secrets"
      provider = "nomad"
      port     = "admin"

      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "5s"
        timeout  = "3s"
      }
    }

    task "serve" {
      driver         = "docker"
      kill_signal    = "SIGTERM"
      kill_timeout   = "30s"
      shutdown_delay = "1s"

      config {
        image           = "registry.example.com/platform/wasmcloud-secrets:0.2.0"
        readonly_rootfs = true
        cap_drop        = ["all"]
        security_opt    = ["no-new-privileges"]
        ports           = ["admin"]
      }

      env {
        NATS_URL              = "tls://nats.example.com:4222"
        # Not NOMAD_ADDR_admin: that is an address of the host, which a container cannot listen at.
        ADMIN_ADDR            = "0.0.0.0:${NOMAD_PORT_admin}"
        ADMIN_EXPOSED         = "true"
        REQUIRE_ACCESS_POLICY = "true"
        SERVER_XKEY_SEED_FILE = "${NOMAD_SECRETS_DIR}/server.seed"
        ACCESS_POLICY_FILE    = "${NOMAD_TASK_DIR}/access-policy.yaml"
        NATS_CREDENTIALS_FILE = "${NOMAD_SECRETS_DIR}/nats.creds"
        # Refused logins outlive a task that is started again, so that this locks no identity.
        INFISICAL_LOCKOUT_FILE = "${NOMAD_ALLOC_DIR}/data/infisical-logins"
      }

      template {
        destination = "${NOMAD_SECRETS_DIR}/server.seed"
        perms       = "0400"
        uid         = 65532
        gid         = 65532
        data        = "{{ with nomadVar \"nomad/jobs/wasmcloud-secrets\" }}{{ .server_seed }}{{ end }}"
      }

      template {
        destination = "${NOMAD_SECRETS_DIR}/nats.creds"
        perms       = "0400"
        uid         = 65532
        gid         = 65532
        data        = "{{ with nomadVar \"nomad/jobs/wasmcloud-secrets\" }}{{ .nats_creds }}{{ end }}"
      }

      template {
        destination   = "${NOMAD_TASK_DIR}/access-policy.yaml"
        change_mode   = "signal"
        change_signal = "SIGHUP"
        data          = "{{ with nomadVar \"nomad/jobs/wasmcloud-secrets\" }}{{ .access_policy }}{{ end }}"
      }

      resources {
        cpu    = 200
        memory = 256
      }
    }
  }
}
