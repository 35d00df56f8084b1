import { register } from 'tsx/esm/api'

// For worker threads as well, where `--import tsx` does nothing.
register()
