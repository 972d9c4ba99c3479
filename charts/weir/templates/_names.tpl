{{/* Owns names and labels. Reads no values except those that name things. */}}

{{/* A Service's name must begin with a letter and have no dots. A release's name may break both rules, with 53 characters. */}}
{{- define "weir.fullname" -}}
{{- $release := .Release.Name | replace "." "-" -}}
{{- $name := default "weir" .Values.nameOverride -}}
{{- $full := $release -}}
{{- if .Values.fullnameOverride }}{{ $full = .Values.fullnameOverride }}
{{- else if not (contains $name $release) }}{{ $full = printf "%s-%s" $release $name }}
{{- end -}}
{{- if regexMatch "^[0-9]" $full }}{{ $full = printf "weir-%s" $full }}{{ end -}}
{{- if gt (len $full) 40 }}{{ $full = printf "%s-%s" (trunc 31 $full | trimSuffix "-") (sha256sum $full | trunc 8) }}{{ end -}}
{{- $full -}}
{{- end }}

{{/* Names of cluster-wide objects contain the namespace too. */}}
{{- define "weir.clusterName" -}}
{{ printf "%s-%s" .Release.Namespace (include "weir.fullname" .) | trunc 120 }}
{{- end }}

{{/* The front door. */}}
{{- define "weir.frontName" -}}
{{ include "weir.fullname" . }}{{ if not .Values.edge.enabled }}-router{{ end }}
{{- end }}

{{- define "weir.selector" -}}
app.kubernetes.io/name: weir
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "weir.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: weir
{{ include "weir.selector" . }}
{{- end }}

{{- define "weir.image" -}}
{{ printf "%s/%s:%s" .root.Values.image.registry .service (default .root.Chart.AppVersion .root.Values.image.tag) }}
{{- end }}

{{- define "weir.ticketSecret" -}}
{{ default (printf "%s-tickets" (include "weir.fullname" .)) .Values.tickets.existingSecret }}
{{- end }}

{{- define "weir.apiKeySecret" -}}
{{ default (printf "%s-publisher" (include "weir.fullname" .)) .Values.publisher.existingSecret }}
{{- end }}
