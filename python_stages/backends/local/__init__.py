"""The embedded provider: an OpenAI-compatible server on this machine that really trains.

    backend.py        the backend `local`: find a running server or start one, then talk to it
    places.py         where it all lies: lock, address, token
    server.py         the process: one for each vault, on a free port of 127.0.0.1
    app.py            the application: who may ask, how large, typed errors, /docs
    files.py, jobs.py, models.py, chat.py   the endpoints
    answers.py, requests.py, api_errors.py, pages.py   what they are asked and answer
    service.py        what the endpoints share
    uploads.py        a multipart upload, encrypted while it arrives
    job_queue.py      the jobs that wait, one worker process each
    worker.py         that process: reads, trains, stores
    deletion.py       what goes when something is deleted
    training_file.py  what makes a training file one
    trainer.py        the border to `python_stages.training`
    decoder.py        loaded models, and the one thread that decodes with them
    store.py, rows.py what is known, in SQLite
    blobs.py          files, checkpoints and weights, encrypted

Nothing here is imported by a build that uses another backend, and importing the package loads
neither web server nor trainer.
"""
