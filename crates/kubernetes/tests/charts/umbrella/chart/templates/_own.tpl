{{- define "shared.title" -}}umbrella of {{ .Release.Name }}{{- end -}}
