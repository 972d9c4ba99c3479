{{/* Owns the URLs: of the cluster and of one shard for clients, of NATS for the services. */}}

{{/*
From the static part of the NodePort range: a Service without a fixed port never gets one of these. The edge has another
port than the router, because Helm creates the new front door before it takes the port from the old one.
*/}}
{{- define "weir.nodePort" -}}
{{- if .Values.service.nodePort }}{{ int64 .Values.service.nodePort -}}
{{- else -}}
{{- $hash := adler32sum (printf "%s/%s" .Release.Namespace .Release.Name) | int64 -}}
{{ add 30000 (mod (add $hash (ternary 43 0 .Values.edge.enabled)) 86) -}}
{{- end -}}
{{- end }}

{{- define "weir.hostIp" -}}{{ ternary "[$(HOST_IP)]" "$(HOST_IP)" .Values.ipv6 }}{{- end }}
{{- define "weir.podIp" -}}{{ ternary "[$(POD_IP)]" "$(POD_IP)" .Values.ipv6 }}{{- end }}

{{/* The public URL of the router. Moved clients go there. */}}
{{- define "weir.routerUrl" -}}
{{- if .Values.publicUrl }}{{ .Values.publicUrl | trimSuffix "/" -}}
{{- else if eq .Values.service.type "NodePort" }}{{ printf "ws://%s:%s" (include "weir.hostIp" .) (include "weir.nodePort" .) -}}
{{- else }}{{ printf "ws://%s.%s.svc.%s:%d" (include "weir.frontName" .) .Release.Namespace .Values.clusterDomain (int64 .Values.service.port) -}}
{{- end -}}
{{- end }}

{{/* The path of the public URL, without a slash at its end. */}}
{{- define "weir.basePath" -}}
{{- with .Values.publicUrl }}{{ (urlParse .).path | trimSuffix "/" }}{{ end -}}
{{- end }}

{{/* The URL of one shard for clients. */}}
{{- define "weir.shardUrl" -}}
{{- if .Values.shardUrl }}{{ .Values.shardUrl -}}
{{- else if .Values.edge.enabled }}{{ printf "%s/s/$(POD_IP)" (include "weir.routerUrl" .) -}}
{{- else }}{{ printf "ws://%s:8081" (include "weir.podIp" .) -}}
{{- end -}}
{{- end }}

{{- define "weir.natsUrl" -}}
{{- if .Values.nats.url }}{{ .Values.nats.url -}}
{{- else -}}
{{- printf "nats://%s-nats.%s.svc.%s:4222" (include "weir.fullname" .) .Release.Namespace .Values.clusterDomain -}}
{{- end -}}
{{- end }}

{{- define "weir.streamReplicas" -}}
{{- if or .Values.nats.url (lt (int .Values.nats.replicas) 3) }}1{{ else }}3{{ end -}}
{{- end }}

{{/* The port of a URL, or the default of its scheme. */}}
{{- define "weir.portOf" -}}
{{- $url := urlParse . -}}
{{- regexFind ":[0-9]+$" $url.host | trimPrefix ":" | default (ternary "80" "443" (eq $url.scheme "http")) -}}
{{- end }}
