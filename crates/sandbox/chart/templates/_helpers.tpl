{{/* The name of everything that the release has once. */}}
{{- define "controller.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What the release's objects begin with that others name: it stays when the release is called otherwise. */}}
{{- define "controller.prefix" -}}
{{- default "aws-load-balancer" .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "controller.webhookService" -}}
{{- printf "%s-webhook-service" (include "controller.prefix" .) -}}
{{- end -}}

{{- define "controller.webhookSecret" -}}
{{- printf "%s-tls" (include "controller.prefix" .) -}}
{{- end -}}

{{- define "controller.selectorLabels" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "controller.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "controller.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.additionalLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "controller.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "controller.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* Tags, as the argument of the controller has them. */}}
{{- define "controller.tags" -}}
{{- $tags := list -}}
{{- range $key, $value := . -}}
{{- $tags = append $tags (printf "%s=%v" $key $value) -}}
{{- end -}}
{{- join "," $tags -}}
{{- end -}}

{{/* The certificate of the webhooks: one's own, the one that is there, or a new one, in YAML. */}}
{{- define "controller.webhookCertificate" -}}
{{- $service := include "controller.webhookService" . -}}
{{- $present := lookup "v1" "Secret" .Release.Namespace (include "controller.webhookSecret" .) -}}
{{- if .Values.webhookTLS.cert -}}
ca: {{ .Values.webhookTLS.caCert | b64enc }}
certificate: {{ .Values.webhookTLS.cert | b64enc }}
key: {{ .Values.webhookTLS.key | b64enc }}
{{- else if and .Values.keepTLSSecret $present -}}
ca: {{ index $present.data "ca.crt" }}
certificate: {{ index $present.data "tls.crt" }}
key: {{ index $present.data "tls.key" }}
{{- else -}}
{{- $names := list (printf "%s.%s" $service .Release.Namespace) (printf "%s.%s.svc" $service .Release.Namespace) -}}
{{- $authority := genCA "aws-load-balancer-controller-ca" 3650 -}}
{{- $certificate := genSignedCert (include "controller.fullname" .) nil $names 3650 $authority -}}
ca: {{ $authority.Cert | b64enc }}
certificate: {{ $certificate.Cert | b64enc }}
key: {{ $certificate.Key | b64enc }}
{{- end -}}
{{- end -}}
