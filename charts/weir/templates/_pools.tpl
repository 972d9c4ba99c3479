{{/* Owns what a pool is: its values over poolDefaults, and the numbers that follow from them. */}}

{{/* All pools as JSON, each complete. */}}
{{- define "weir.pools" -}}
{{- $pools := dict -}}
{{- range $name, $own := .Values.pools -}}
{{- $pool := mergeOverwrite (deepCopy $.Values.poolDefaults) (deepCopy (default dict $own)) -}}
{{- $_ := set $pools $name $pool -}}
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

{{/* Milliseconds that a drain takes at the longest; the shard has the same rule. */}}
{{- define "weir.drainMs" -}}
{{- $paced := mulf (divf .capacity .drain.movesPerSecond) 1000 | ceil | int64 -}}
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
{{- $cpu := dig "limits" "cpu" (dig "requests" "cpu" "1" .resources) .resources | toString -}}
{{- $cores := trimSuffix "m" $cpu | float64 -}}
{{- if hasSuffix "m" $cpu }}{{ $cores = divf $cores 1000 }}{{ end -}}
{{- .threads | default (sub (floor $cores | int64) 1 | max 1 | min 64) | int64 -}}
{{- end }}

{{/* A Kubernetes quantity in whole units. */}}
{{- define "weir.bytes" -}}
{{- $text := toString . -}}
{{- $number := regexFind "^[0-9.]+" $text | float64 -}}
{{- $unit := regexReplaceAll "^[0-9.]+" $text "" -}}
{{- $factors := dict "" 1 "k" 1000 "M" 1000000 "G" 1000000000 "T" 1000000000000 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 -}}
{{- mulf $number (get $factors $unit) | int64 -}}
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
