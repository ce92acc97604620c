-- The identity that a window was raised with early, or - once that is over. KEYS: 4 of alert-seen.
return redis.call('GET', KEYS[1])
