{{/* Owns the pools: their values over poolDefaults, and the numbers that follow from them. */}}

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

{{/* Maximum duration of a drain in milliseconds. Shards of a pool that drain at once share the pace: up to `together`
full shards end within this time. The shard applies the same rule to itself. */}}
{{- define "weir.drainMs" -}}
{{- $paced := mulf (divf (mulf .capacity .drain.together) .drain.movesPerSecond) 1000 | ceil | int64 -}}
{{- add (int64 .drain.graceMs) (max (int64 .drain.windowMs) $paced) (int64 .drain.withinMs) 3000 -}}
{{- end }}

{{/* From SIGTERM to the end: the drain, and time to close the remaining connections. */}}
{{- define "weir.shutdownMs" -}}
{{- add (include "weir.drainMs" .) 5000 -}}
{{- end }}

{{- define "weir.preStopSeconds" -}}5{{- end }}

{{/* terminationGracePeriodSeconds, which includes preStop. */}}
{{- define "weir.graceSeconds" -}}
{{- add (divf (include "weir.shutdownMs" .) 1000 | ceil | int64) (include "weir.preStopSeconds" . | int64) 5 -}}
{{- end }}

{{/* Threads of a shard that write to clients: the cores of the CPU limit, else of the request, minus one for the main
thread. A shard accepts at most 64. */}}
{{- define "weir.threads" -}}
{{- $cpu := include "weir.text" (dig "limits" "cpu" (dig "requests" "cpu" "1" .resources) .resources) -}}
{{- $cores := trimSuffix "m" $cpu | float64 -}}
{{- if hasSuffix "m" $cpu }}{{ $cores = divf $cores 1000 }}{{ end -}}
{{- .threads | default (sub (floor $cores | int64) 1 | max 1 | min 64) | int64 -}}
{{- end }}

{{/* The kernel's largest buffer for one connection: the third number of tcpWmem, or the default of 4 MiB. */}}
{{- define "weir.wmemMax" -}}
{{- if .tcpWmem }}{{ regexFind "[0-9]+$" .tcpWmem }}{{ else }}4194304{{ end -}}
{{- end }}

{{/* Bytes that a shard full of stuck clients may use. */}}
{{- define "weir.neededBytes" -}}
{{- add (mul (int64 .capacity) (add (int64 .hardBytes) (include "weir.wmemMax" .sysctls | int64))) 536870912 -}}
{{- end }}

{{/* Sysctls of a pod that the cluster allows pods to set. */}}
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

{{/* The targets of the pool's HPA, as JSON: pairs of a metric and its target. 0, "" and null switch a target off. */}}
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

{{/* KEDA needs a plain number. */}}
{{- define "weir.wholeTarget" -}}
{{- if hasSuffix "m" . }}{{ divf (trimSuffix "m" . | float64) 1000 | toJson }}{{ else }}{{ include "weir.bytes" . }}{{ end -}}
{{- end }}
