{{- define "parts.name" -}}{{ .Release.Name }}-parts{{- end -}}
{{- define "parts.labels" -}}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}
