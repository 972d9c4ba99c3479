{{/* Owns the conversion of values to text, and checks of settings. */}}

{{/* The text of a value, empty for null. A number keeps its digits: `quote` and `toString` would write 1e+06, because
every number of a file and of `toJson` is a float64. */}}
{{- define "weir.text" -}}
{{- if kindIs "string" . }}{{ . }}{{ else if not (kindIs "invalid" .) }}{{ toJson . }}{{ end -}}
{{- end }}

{{/* A Kubernetes quantity in whole units. */}}
{{- define "weir.bytes" -}}
{{- $text := include "weir.text" . -}}
{{- $number := regexFind "^[0-9.]+" $text | float64 -}}
{{- $unit := regexReplaceAll "^[0-9.]+" $text "" -}}
{{- $factors := dict "" 1 "k" 1000 "M" 1000000 "G" 1000000000 "T" 1000000000000 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 -}}
{{- mulf $number (get $factors $unit) | int64 -}}
{{- end }}

{{/* The number of a setting in its base unit. `known` is its row of files/settings.json. */}}
{{- define "weir.amount" -}}
{{- $text := include "weir.text" .value -}}
{{- $unit := regexReplaceAll "^[-0-9.]+" $text "" | lower -}}
{{- mulf (regexFind "^[-0-9.]+" $text | float64) (get (default dict .known.units) $unit | default 1) | toJson -}}
{{- end }}

{{/* Refuses numbers outside the services' ranges, also in strings and with units, which a schema cannot check. */}}
{{- define "weir.checkSettings" -}}
{{- range $name, $value := .settings -}}
{{- $known := get $.known $name | default dict -}}
{{- if $known.range -}}
{{- $amount := include "weir.amount" (dict "value" $value "known" $known) | float64 -}}
{{- $isWhole := or (eq $known.kind "number") (eq $amount (floor $amount)) -}}
{{- if or (lt $amount (float64 $known.range.min)) (gt $amount (float64 $known.range.max)) (not $isWhole) -}}
{{- $unit := ternary " ms" (ternary " bytes" "" (hasKey (default dict $known.units) "b")) (hasKey (default dict $known.units) "ms") -}}
{{- fail (printf "%s.%s is %s, and must be from %s to %s%s" $.at $name (include "weir.text" $value) (toJson $known.range.min) (toJson $known.range.max) $unit) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* A setting of a pool in its base unit, or its default. */}}
{{- define "weir.settingOf" -}}
{{- $known := get .known .name | default dict -}}
{{- if hasKey .of.settings .name }}{{ include "weir.amount" (dict "value" (get .of.settings .name) "known" $known) }}
{{- else }}{{ default (get $known "default") .default | toJson }}{{ end -}}
{{- end }}

{{/* Refuses the combinations of settings that the shard refuses. */}}
{{- define "weir.checkPool" -}}
{{- $isMobile := eq .name "mobile" -}}
{{- $soft := include "weir.settingOf" (dict "of" .of "known" .known "name" "WEIR_SOFT_BYTES" "default" (ternary 32768 131072 $isMobile)) | int64 -}}
{{- if ge $soft (int64 .of.hardBytes) -}}
{{- fail (printf "pools.%s.hardBytes (%d) must be more than WEIR_SOFT_BYTES (%d): raise it, or lower pools.%s.settings.WEIR_SOFT_BYTES" .name (int64 .of.hardBytes) $soft .name) -}}
{{- end -}}
{{- $pairs := list (list "WEIR_MAX_MESSAGE_BYTES" "WEIR_MAX_FRAME_BYTES" 512) (list "WEIR_PROMOTION_RTT_MS" "WEIR_PROMOTION_LAG_MS") (list "WEIR_MOVE_BACKOFF_MS" "WEIR_MOVE_BACKOFF_MAX_MS") -}}
{{- include "weir.checkPairs" (dict "at" (printf "pools.%s.settings" .name) "of" .of "known" .known "pairs" $pairs) -}}
{{- end }}

{{/* Refuses a pair whose first setting is more than the second, or not less by the given amount. */}}
{{- define "weir.checkPairs" -}}
{{- range .pairs -}}
{{- $less := include "weir.settingOf" (dict "of" $.of "known" $.known "name" (index . 0)) -}}
{{- $more := include "weir.settingOf" (dict "of" $.of "known" $.known "name" (index . 1)) -}}
{{- $by := 0 -}}
{{- if gt (len .) 2 }}{{ $by = index . 2 }}{{ end -}}
{{- if gt (addf $less $by) ($more | float64) -}}
{{- fail (printf "%s: %s (%s)%s must not exceed %s (%s)" $.at (index . 0) $less (ternary (printf " and %d" $by) "" (gt $by 0)) (index . 1) $more) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* "true" for an address or a range that the router's parser accepts. */}}
{{- define "weir.isCidr" -}}
{{- $byte := "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])" -}}
{{- $quad := printf "%s(\\.%s){3}" $byte $byte -}}
{{- $address := splitList "/" . | first -}}
{{- $bits := trimPrefix $address . | default "/0" -}}
{{- $groups := regexReplaceAll (printf "(^|:)%s$" $quad) $address "${1}0:0" -}}
{{- $isQuad := regexMatch (printf "^%s$" $quad) $address -}}
{{- $isFull := regexMatch "^[0-9A-Fa-f]{1,4}(:[0-9A-Fa-f]{1,4}){7}$" $groups -}}
{{- $isShort := and (regexMatch "^([0-9A-Fa-f]{1,4}(:[0-9A-Fa-f]{1,4})*)?::([0-9A-Fa-f]{1,4}(:[0-9A-Fa-f]{1,4})*)?$" $groups) (lt (regexFindAll "[0-9A-Fa-f]+" $groups -1 | len) 8) -}}
{{- $isMapped := regexMatch "^[0:]*:[fF]{4}:" $address -}}
{{- $most := ternary "3[0-2]|[12]?[0-9]" (ternary "12[0-8]|1[01][0-9]|9[6-9]" "12[0-8]|1[01][0-9]|[1-9]?[0-9]" $isMapped) $isQuad -}}
{{- $hasBits := or (eq $address .) (regexMatch (printf "^/(%s)$" $most) $bits) -}}
{{- if and $hasBits (or $isQuad $isFull $isShort) }}true{{ end -}}
{{- end }}
