'use strict'

// Preloaded into the example: what any app does that wants its own metrics as OpenMetrics.
const { register, Registry } = require('prom-client')

register.setContentType(Registry.OPENMETRICS_CONTENT_TYPE)
