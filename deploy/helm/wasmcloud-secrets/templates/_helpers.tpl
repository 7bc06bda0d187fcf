{{- define "secrets.name" -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}{{ if not (contains "wasmcloud-secrets" .Release.Name) }}-wasmcloud-secrets{{ end }}
{{- end }}

{{- define "secrets.selector" -}}
app.kubernetes.io/name: wasmcloud-secrets
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "secrets.labels" -}}
{{ include "secrets.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "secrets.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (ternary (include "secrets.name" .) "default" .Values.serviceAccount.create) }}
{{- end }}

{{- define "secrets.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}
{{- end }}

{{- define "secrets.policyConfigMap" -}}
{{- .Values.policy.existingConfigMap | default (printf "%s-policy" (include "secrets.name" .)) }}
{{- end }}

{{- define "secrets.hasPolicy" -}}
{{- if or .Values.policy.document .Values.policy.existingConfigMap }}yes{{ end }}
{{- end }}

{{/* The API server lets the kubernetes store in by the pod's own token. */}}
{{- define "secrets.automount" -}}
{{- eq (index .Values.settings "SECRET_STORE" | default "") "kubernetes" }}
{{- end }}
