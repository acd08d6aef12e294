{{- define "errors.deep" -}}
{{ .Values.missing.deeper }}
{{- end -}}
{{- define "errors.forever" -}}
{{ include "errors.forever" . }}
{{- end -}}
{{- define "errors.required" }}{{ required "inner" "" }}{{ end }}
