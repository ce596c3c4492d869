{{/* What cannot work is refused with words, before anything is installed. */}}
{{- define "quern.checks" -}}
{{- $v := .Values }}
{{- if and $v.existingSecret $v.secret }}
{{- fail "existingSecret and secret: give one of them; a Secret that exists is not changed by the chart" }}
{{- end }}
{{- if not $v.config.backends }}
{{- fail "config.backends is empty: a worker needs at least one backend, e.g. --set 'config.backends[0].name=…'; see docs/configuration.md" }}
{{- end }}
{{- if not (dig "kafka" "brokers" "" $v.config) }}
{{- fail "config.kafka.brokers is empty: a list of HOST:PORT, e.g. kafka:9092" }}
{{- end }}
{{- if not $v.config.models }}
{{- fail "config.models is empty: a worker needs at least one entry, e.g. {name: \"*\", candidates: [{backend: …}]}" }}
{{- end }}
{{- if dig "metrics" "listen" "" $v.config }}
{{- fail "config.metrics.listen is set by the chart: use metrics.port, or metrics.enabled=false" }}
{{- end }}
{{- if dig "worker" "shutdown_grace" "" $v.config }}
{{- fail "config.worker.shutdown_grace is set by the chart: use worker.drainTime" }}
{{- end }}
{{- if and (ne $v.autoscaling.type "none") (gt (int $v.autoscaling.minReplicas) (int $v.autoscaling.maxReplicas)) }}
{{- fail (printf "autoscaling: minReplicas %d is above maxReplicas %d" (int $v.autoscaling.minReplicas) (int $v.autoscaling.maxReplicas)) }}
{{- end }}
{{- if and (eq $v.autoscaling.type "hpa") (lt (int $v.autoscaling.minReplicas) 1) }}
{{- fail "autoscaling: a HorizontalPodAutoscaler cannot go to zero; set minReplicas to 1, or type to keda" }}
{{- end }}
{{- if eq $v.autoscaling.type "keda" }}
{{- $k := $v.autoscaling.keda }}
{{- if and (eq $k.source "postgresql") (not (and $k.connectionSecret.name $k.connectionSecret.key)) }}
{{- fail "autoscaling.keda.connectionSecret: KEDA needs name and key of a Secret with PostgreSQL's connection URI; or set source to prometheus" }}
{{- end }}
{{- if and (eq $k.source "prometheus") (not $k.prometheusAddress) }}
{{- fail "autoscaling.keda.prometheusAddress is needed with source prometheus, e.g. http://prometheus.monitoring:9090" }}
{{- end }}
{{- if and (eq $k.source "prometheus") (not $v.metrics.enabled) }}
{{- fail "autoscaling.keda.source prometheus needs metrics.enabled" }}
{{- end }}
{{- if and (eq $k.source "prometheus") (eq (int $v.autoscaling.minReplicas) 0) (not $k.wakeByKafka) }}
{{- fail "autoscaling: with minReplicas 0 and source prometheus nobody tells the backlog while no worker runs; set wakeByKafka, source postgresql, or minReplicas 1" }}
{{- end }}
{{- end }}
{{- if and (not $v.metrics.enabled) (or $v.metrics.serviceMonitor.enabled $v.metrics.podMonitor.enabled) }}
{{- fail "metrics.enabled is false: then there is nothing for a ServiceMonitor or PodMonitor to read" }}
{{- end }}
{{- if and $v.metrics.serviceMonitor.enabled $v.metrics.podMonitor.enabled }}
{{- fail "metrics.serviceMonitor and metrics.podMonitor: enable one of them, or everything is counted twice" }}
{{- end }}
{{- if and $v.podDisruptionBudget.enabled (eq (toString $v.podDisruptionBudget.minAvailable) "") (eq (toString $v.podDisruptionBudget.maxUnavailable) "") }}
{{- fail "podDisruptionBudget: give minAvailable or maxUnavailable, or set enabled to false" }}
{{- end }}
{{- if and $v.podDisruptionBudget.enabled (ne (toString $v.podDisruptionBudget.minAvailable) "") (ne (toString $v.podDisruptionBudget.maxUnavailable) "") (ne (toString $v.podDisruptionBudget.maxUnavailable) "1") }}
{{- fail "podDisruptionBudget: give minAvailable or maxUnavailable, not both" }}
{{- end }}
{{- if and (not $v.serviceAccount.create) (not $v.serviceAccount.name) $v.serviceAccount.annotations }}
{{- fail "serviceAccount.annotations need serviceAccount.create" }}
{{- end }}
{{- end }}
