// The program itself, from the source: what it covers is counted.
import '../../../lib/cli/main.js'
