{{/* Owns what a pool is: its values over poolDefaults, and the numbers that follow from them. */}}

{{/* All pools as JSON, each complete. */}}
{{- define "weir.pools" -}}
{{- $pools := dict -}}
{{- range $name, $own := .Values.pools -}}
{{- if not (kindIs "invalid" $own) -}}
{{- $_ := set $pools $name (mergeOverwrite (deepCopy $.Values.poolDefaults) (deepCopy $own)) -}}
{{- end -}}
{{- end -}}
{{- $pools | toJson -}}
{{- end }}

{{/* Names by order, slowest first, comma separated. */}}
{{- define "weir.poolNames" -}}
{{- $keys := list -}}
{{- range $name, $pool := include "weir.pools" . | fromJson -}}
{{- $keys = append $keys (printf "%09d %s" (int64 $pool.order) $name) -}}
{{- end -}}
{{- $names := list -}}
{{- range sortAlpha $keys }}{{ $names = append $names (regexReplaceAll "^[0-9]+ " . "") }}{{ end -}}
{{- join "," $names -}}
{{- end }}

{{/* Milliseconds that a drain takes at the longest. Shards of a pool that drain at once share the pace: full shards, as
many as `together`, end in this time. The shard has the same rule for one. */}}
{{- define "weir.drainMs" -}}
{{- $paced := mulf (divf (mulf .capacity .drain.together) .drain.movesPerSecond) 1000 | ceil | int64 -}}
{{- add (int64 .drain.graceMs) (max (int64 .drain.windowMs) $paced) (int64 .drain.withinMs) 3000 -}}
{{- end }}

{{/* From SIGTERM to the end: the drain, and time to close what is left. */}}
{{- define "weir.shutdownMs" -}}
{{- add (include "weir.drainMs" .) 5000 -}}
{{- end }}

{{- define "weir.preStopSeconds" -}}5{{- end }}

{{/* terminationGracePeriodSeconds: preStop counts in it. */}}
{{- define "weir.graceSeconds" -}}
{{- add (divf (include "weir.shutdownMs" .) 1000 | ceil | int64) (include "weir.preStopSeconds" . | int64) 5 -}}
{{- end }}

{{/* Threads of a shard that write to clients. The main thread has one core of the CPU limit, or where there is none of
what is requested; 64 is the most that a shard takes. */}}
{{- define "weir.threads" -}}
{{- $cpu := include "weir.text" (dig "limits" "cpu" (dig "requests" "cpu" "1" .resources) .resources) -}}
{{- $cores := trimSuffix "m" $cpu | float64 -}}
{{- if hasSuffix "m" $cpu }}{{ $cores = divf $cores 1000 }}{{ end -}}
{{- .threads | default (sub (floor $cores | int64) 1 | max 1 | min 64) | int64 -}}
{{- end }}

{{/* The most that the kernel buffers for one connection: the third number of tcpWmem, or its own 4 MiB. */}}
{{- define "weir.wmemMax" -}}
{{- if .tcpWmem }}{{ regexFind "[0-9]+$" .tcpWmem }}{{ else }}4194304{{ end -}}
{{- end }}

{{/* Bytes that the full capacity of stuck clients may take. */}}
{{- define "weir.neededBytes" -}}
{{- add (mul (int64 .capacity) (add (int64 .hardBytes) (include "weir.wmemMax" .sysctls | int64))) 536870912 -}}
{{- end }}

{{/* Sysctls of a pod, as far as the cluster lets a pod set them. */}}
{{- define "weir.sysctls" -}}
{{- $sysctls := list -}}
{{- $version := .root.Capabilities.KubeVersion.Version -}}
{{- if and .sysctls.tcpWmem (semverCompare ">=1.32.0-0" $version) -}}
{{- $sysctls = append $sysctls (dict "name" "net.ipv4.tcp_wmem" "value" .sysctls.tcpWmem) -}}
{{- end -}}
{{- if and .sysctls.tcpNotsentLowat (semverCompare ">=1.37.0-0" $version) -}}
{{- $sysctls = append $sysctls (dict "name" "net.ipv4.tcp_notsent_lowat" "value" (int64 .sysctls.tcpNotsentLowat | toString)) -}}
{{- end -}}
{{- $sysctls | toJson -}}
{{- end }}

{{/* What an HPA of the pool goes by, as JSON: pairs of a metric and its target. 0, "" and null switch one off. */}}
{{- define "weir.targets" -}}
{{- $of := .of -}}
{{- $ratio := include "weir.text" $of.targets.connectionsRatio | float64 -}}
{{- $connections := mulf $of.capacity $ratio | ceil | int64 -}}
{{- $keda := eq .source "keda" -}}
{{- $found := list -}}
{{- range list
  (list "weir_shard_connections" $connections)
  (list "weir_shard_awaited_bytes" $of.targets.awaitedBytes)
  (list "weir_shard_healthy_backlog_bytes" ($of.targets.healthyBacklogBytes | default $of.targets.bufferedBytes))
  (list "weir_shard_event_loop_utilization" $of.targets.eventLoopUtilization)
  (list "weir_shard_egress_bytes_per_second" $of.targets.egressBytesPerSecond)
  (list "weir_shard_tick_lateness_seconds" ($of.targets.tickLatenessSeconds | default $of.targets.tickLagSeconds))
-}}
{{- $text := include "weir.text" (last .) -}}
{{- $isOff := regexMatch "^[0.]*[A-Za-z]*$" $text -}}
{{- $isSum := has (first .) (list "weir_shard_connections" "weir_shard_awaited_bytes" "weir_shard_healthy_backlog_bytes") -}}
{{- if and (not $isOff) (or $isSum (not $keda)) -}}
{{- $found = append $found (list (first .) (ternary (include "weir.wholeTarget" $text) $text $keda)) -}}
{{- end -}}
{{- end -}}
{{- $found | toJson -}}
{{- end }}

{{/* KEDA takes a plain number. */}}
{{- define "weir.wholeTarget" -}}
{{- if hasSuffix "m" . }}{{ divf (trimSuffix "m" . | float64) 1000 | toJson }}{{ else }}{{ include "weir.bytes" . }}{{ end -}}
{{- end }}
