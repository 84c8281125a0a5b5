// Generated from docs/reference/openapi.json by `npm run types`; do not edit.

export interface paths {
    "/api/adapters/combine": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Combine Adapters
         * @description Put the combination of finished jobs' adapters into the queue; its result is a training job like any other.
         */
        post: operations["combineAdapters"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/chat": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Chat
         * @description Ask up to three models at once and stream their answers.
         */
        post: operations["chat"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/chat/models": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Chat Models
         * @description List what can be asked now: bundled models, finished jobs, their bases, exports.
         */
        get: operations["listChatModels"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/chat/questions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Questions
         * @description List the questions that were gathered.
         */
        get: operations["listQuestions"];
        put?: never;
        /**
         * Add Question
         * @description Add a question with its right answer to those that evaluations can ask; the same one again changes nothing.
         */
        post: operations["addQuestion"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/comparisons": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Comparison
         * @description Compare the two to four training jobs that the address names.
         */
        get: operations["getComparison"];
        put?: never;
        /**
         * Create Comparison
         * @description Compare two to four training jobs.
         */
        post: operations["createComparison"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/datasets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Datasets
         * @description List the datasets, the newest first.
         */
        get: operations["listDatasets"];
        put?: never;
        /**
         * Create Dataset
         * @description Make a dataset from rows; bad rows are kept and named, `ok` is false then.
         */
        post: operations["createDataset"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/datasets/{dataset_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Dataset
         * @description Return a dataset with the problems of its rows.
         */
        get: operations["getDataset"];
        put?: never;
        post?: never;
        /**
         * Delete Dataset
         * @description Delete a dataset; it can be had back for ten seconds, and a job that has not ended keeps it.
         */
        delete: operations["deleteDataset"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/datasets/{dataset_id}/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Export Dataset
         * @description Download a dataset as JSON Lines or CSV in the canonical form, or its file as it is.
         */
        get: operations["exportDataset"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/datasets/{dataset_id}/jobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Dataset Jobs
         * @description List the jobs that read a dataset, ended ones too.
         */
        get: operations["datasetJobs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/datasets/{dataset_id}/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Preview Dataset
         * @description Show training rows token by token, what is learned of each, and what other lengths would cut.
         */
        get: operations["previewDataset"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/datasets/{dataset_id}/problems": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Dataset Problems
         * @description List what is wrong or worth knowing, each with its place and the next step.
         */
        get: operations["datasetProblems"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/datasets/{dataset_id}/repair": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Repair Dataset
         * @description Leave rows out (drop_invalid, deduplicate, drop_overlong, keep_chosen) or read the file in another way.
         */
        post: operations["repairDataset"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/datasets/{dataset_id}/restore": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Restore Dataset
         * @description Go back to an earlier version, which makes the next one: so a repair is undone, and its undoing too.
         */
        post: operations["restoreDataset"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/datasets/{dataset_id}/rows": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Dataset Rows
         * @description Show rows: those behind row `cursor`, with `q` in their texts, or with a problem of a code.
         */
        get: operations["datasetRows"];
        put?: never;
        /**
         * Add Dataset Row
         * @description Add a row behind the others and return the next version; jobs go on with the file that they were given.
         */
        post: operations["addDatasetRow"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/datasets/{dataset_id}/rows/{row}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Delete Dataset Row
         * @description Take one row out and return the next version.
         */
        delete: operations["deleteDatasetRow"];
        options?: never;
        head?: never;
        /**
         * Edit Dataset Row
         * @description Change one row and return the next version; jobs go on with the file that they were given.
         */
        patch: operations["editDatasetRow"];
        trace?: never;
    };
    "/api/datasets/{dataset_id}/split": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Split Dataset
         * @description Make two datasets of one, to train on and to evaluate with; the same rows and seed give the same two.
         */
        post: operations["splitDataset"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/datasets/{dataset_id}/stats": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Dataset Stats
         * @description Return numbers: lengths, turns, languages, style, duplicates, personal data; with `model` also tokens.
         */
        get: operations["datasetStats"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/datasets/{dataset_id}/undo-delete": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Undo Delete Dataset
         * @description Have a dataset back that was deleted a moment ago.
         */
        post: operations["undoDeleteDataset"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/datasets/{dataset_id}/versions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Dataset History
         * @description List the versions of a dataset and how each was made.
         */
        get: operations["datasetHistory"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/datasets/from-url": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Create Dataset From Url
         * @description Make a dataset from a file on another machine; off unless the server was started with LLMLORA_FETCH_URLS=1.
         */
        post: operations["createDatasetFromUrl"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/datasets/samples": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Samples
         * @description List the sample datasets that come with llmlora.
         */
        get: operations["listSamples"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/datasets/samples/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Create Sample
         * @description Make a dataset of a sample.
         */
        post: operations["createSample"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/datasets/upload": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Upload Dataset
         * @description Make a dataset from a file; bad rows are kept and named, what is no dataset at all is refused.
         */
        post: operations["uploadDataset"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/doctor": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Doctor
         * @description Check this machine and installation.
         */
        get: operations["doctor"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/evaluations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Evaluations
         * @description List evaluations, all or those of one training job, the newest first.
         */
        get: operations["listEvaluations"];
        put?: never;
        /**
         * Create Evaluation
         * @description Put the evaluation of a finished training job into the queue.
         */
        post: operations["createEvaluation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/evaluations/{evaluation_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Evaluation
         * @description Return an evaluation with its report.
         */
        get: operations["getEvaluation"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Stream Events
         * @description Stream events; `Last-Event-ID` goes on behind that event, `resync` says to look at everything anew.
         */
        get: operations["streamEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/exports": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Exports
         * @description List exports, all or those of one training job, the newest first.
         */
        get: operations["listExports"];
        put?: never;
        /**
         * Create Export
         * @description Put the export of a finished training job into the queue.
         */
        post: operations["createExport"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/exports/{export_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Export
         * @description Return an export with its files, their sizes and verdicts.
         */
        get: operations["getExport"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/exports/{export_id}/comparison": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Compare Export Files
         * @description Return the files of an export side by side: size, speed, distance, facts kept, and the same answers of each.
         */
        get: operations["compareExportFiles"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/exports/{export_id}/files": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Export Files
         * @description List the files of an export with sizes, hashes and verdicts.
         */
        get: operations["listExportFiles"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/exports/{export_id}/files/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Download Export File
         * @description Download a file of an export; parts of it can be asked for with `Range`.
         */
        get: operations["downloadExportFile"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/exports/{export_id}/verify": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Verify Export
         * @description Put the verification of an export's files into the queue.
         */
        post: operations["verifyExport"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/generate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Generate
         * @description Ask a model one question, as it was trained to be asked; `raw` continues the text instead.
         */
        post: operations["generate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Jobs
         * @description List the work of every kind, the newest first; kinds, statuses and whose result is used can be named.
         */
        get: operations["listJobs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/{job_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Job
         * @description Return a job of any kind with all that its page shows.
         */
        get: operations["getJob"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/{job_id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel Job
         * @description End a job of any kind for good, keeping what it has saved.
         */
        post: operations["cancelJob"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/{job_id}/clone": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Clone Job
         * @description Put the same work into the queue once more; training also with other settings.
         */
        post: operations["cloneJob"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/{job_id}/delete": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Delete Job
         * @description Delete a job that nobody works on; it can be had back for ten seconds.
         */
        post: operations["deleteJob"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/{job_id}/passport": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Passport
         * @description Return a passport, and what is not as it says.
         */
        get: operations["getPassport"];
        put?: never;
        /**
         * Create Passport
         * @description Sign and write the passport of a finished training job or an export, and return it.
         */
        post: operations["createPassport"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/{job_id}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Pause Job
         * @description Keep a job from starting, or let it save and stop.
         */
        post: operations["pauseJob"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/{job_id}/rename": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Rename Job
         * @description Give a job another name.
         */
        post: operations["renameJob"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/{job_id}/reorder": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Reorder Job
         * @description Move a waiting job in front of another one, or behind all.
         */
        post: operations["reorderJob"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/{job_id}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Resume Job
         * @description Let a paused job go on from its newest checkpoint.
         */
        post: operations["resumeJob"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/{job_id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Retry Job
         * @description Let a failed or canceled job go on from its newest checkpoint.
         */
        post: operations["retryJob"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/{job_id}/undo-delete": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Undo Delete Job
         * @description Have a job back that was deleted a moment ago.
         */
        post: operations["undoDeleteJob"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/logs/server": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Server Log
         * @description Return the end of the server's log, without secrets; at most 256 KiB.
         */
        get: operations["serverLog"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/merges": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Create Merge
         * @description Put the merge of a finished training job with its base model into the queue.
         */
        post: operations["createMerge"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/models": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Models
         * @description List the base models of this machine.
         */
        get: operations["listModels"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/models/catalogue": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Catalogue
         * @description List models that are good to start from, with licence, name in Ollama's library and presets.
         */
        get: operations["listCatalogue"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/models/check/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Check Model
         * @description Tell whether a model exists and can be trained; names with / and : are taken as they are.
         */
        get: operations["checkModel"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/models/pull/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Pull Model
         * @description Have Ollama download a model as work of the queue; names with / and : are taken as they are.
         */
        post: operations["pullModel"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ollama": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Ollama
         * @description Tell which Ollama server answers here, what its version can do, and which models it has.
         */
        get: operations["getOllama"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ollama/check": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Check Ollama
         * @description Ask the Ollama server only what changes nothing, and tell whether it answers as its version should.
         */
        get: operations["checkOllama"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ollama/models/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show Ollama Model
         * @description Return what the Ollama server says of a model; names with / and : are taken as they are.
         */
        get: operations["showOllamaModel"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ollama/register": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Register Export
         * @description Register a finished export in Ollama as work of the queue, or a training job, which is exported first.
         *
         *     The served model is asked what was taught.
         */
        post: operations["registerExport"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ollama/rollback": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Roll Back Registration
         * @description Give a name in Ollama back to what it stood for before its last registration, at once.
         */
        post: operations["rollBackRegistration"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/presets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Presets
         * @description List the presets for LoRA and for training.
         */
        get: operations["listPresets"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/settings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Settings
         * @description Return the settings of the workspace, and how the server is set up.
         */
        get: operations["getSettings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change Settings
         * @description Change some settings of the workspace; null gives one its default again.
         */
        patch: operations["changeSettings"];
        trace?: never;
    };
    "/api/system-info": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * System Info
         * @description Return processor, memory, graphics processors, disk, versions and running tasks.
         */
        get: operations["systemInfo"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/training/curves": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Training Curves
         * @description Return the curves of several jobs in at most `points` points each, to draw them small.
         */
        get: operations["listTrainingCurves"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/training/jobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Training Jobs
         * @description List the training jobs, the newest first.
         */
        get: operations["listTrainingJobs"];
        put?: never;
        /**
         * Create Training Job
         * @description Check a training job, settle its settings, and put it into the queue.
         */
        post: operations["createTrainingJob"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/training/jobs/{job_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Training Job
         * @description Return a job with its settings and its result.
         */
        get: operations["getTrainingJob"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/training/jobs/{job_id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel Training Job
         * @description End a job for good, keeping what it has saved; a worker ends its step first.
         */
        post: operations["cancelTrainingJob"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/training/jobs/{job_id}/checkpoints": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Job Checkpoints
         * @description List the checkpoints of a job, the newest first.
         */
        get: operations["jobCheckpoints"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/training/jobs/{job_id}/diagnosis": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Job Diagnosis
         * @description Tell what a job's numbers say about it, and which settings to try next.
         */
        get: operations["jobDiagnosis"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/training/jobs/{job_id}/epochs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Job Epochs
         * @description Return the losses of each epoch.
         */
        get: operations["jobEpochs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/training/jobs/{job_id}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Job Events
         * @description List the events of a job behind one, the oldest first.
         */
        get: operations["jobEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/training/jobs/{job_id}/files": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Job Files
         * @description List the files of a job with their sizes and recorded hashes.
         */
        get: operations["jobFiles"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/training/jobs/{job_id}/files/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Download Job File
         * @description Download a file of a job; parts of it can be asked for with `Range`.
         */
        get: operations["downloadJobFile"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/training/jobs/{job_id}/logs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Job Logs
         * @description Return the end of a job's log, or what was written behind byte `after`; at most 256 KiB.
         */
        get: operations["jobLogs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/training/jobs/{job_id}/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Job Metrics
         * @description Return curves of at most `points` points each, of steps `from` to `to`: exact where they fit, no spike lost.
         */
        get: operations["jobMetrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/training/jobs/{job_id}/progress": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Job Progress
         * @description Return how far a job is.
         */
        get: operations["jobProgress"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/training/jobs/{job_id}/recipe": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Job Recipe
         * @description Return the recipe that repeats the job, as YAML or JSON.
         */
        get: operations["jobRecipe"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/training/jobs/{job_id}/report": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Job Report
         * @description Return the reports of a job's training and of its newest evaluation.
         */
        get: operations["jobReport"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/training/jobs/{job_id}/samples": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Job Samples
         * @description List the rows and answers that a job has shown while it trained.
         */
        get: operations["jobSamples"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/training/jobs/batch": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Create Training Batch
         * @description Check several training jobs, listed or one of them varied, and queue all of them or none.
         */
        post: operations["createTrainingBatch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/training/plan": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Plan Training
         * @description Tell what a training job would do and need, all that is wrong with it, and what would fit; no job is made.
         */
        post: operations["planTraining"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/training/recipes/read": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Read Recipe
         * @description Return what a recipe file asks for, with model and datasets of this workspace; nothing is started.
         */
        post: operations["readRecipe"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/training/recipes/write": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Write Recipe
         * @description Return the recipe of a training job that is not started, as YAML.
         */
        post: operations["writeRecipe"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/training/schema": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Training Schema
         * @description Return the JSON Schema of a training job's settings.
         */
        get: operations["trainingSchema"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/tutorials": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Tutorials
         * @description List the lessons of the course and how far each is.
         */
        get: operations["listTutorials"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/tutorials/{level}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Tutorial
         * @description Return a lesson with its text in Markdown and each step checked against this workspace.
         */
        get: operations["getTutorial"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/tutorials/{level}/data": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Tutorial Data
         * @description Return the data file of a lesson.
         */
        get: operations["getTutorialData"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/tutorials/{level}/steps/{step_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Mark Tutorial Step
         * @description Mark a step that is only read as done or not.
         */
        put: operations["markTutorialStep"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/uploads": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Create Upload
         * @description Begin an upload that can go on after a break.
         */
        post: operations["createUpload"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/uploads/{upload_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Upload
         * @description Return how much of an upload has arrived.
         */
        get: operations["getUpload"];
        /**
         * Send Upload
         * @description Append a piece of any size; with a wrong `Upload-Offset` nothing happens, and the 409 names the right one.
         */
        put: operations["sendUpload"];
        post?: never;
        /**
         * Delete Upload
         * @description Give an upload up.
         */
        delete: operations["deleteUpload"];
        options?: never;
        /**
         * Head Upload
         * @description Tell in headers how much of an upload has arrived (`Upload-Offset`) and how much is to come (`Upload-Length`).
         */
        head: operations["headUpload"];
        patch?: never;
        trace?: never;
    };
    "/api/uploads/{upload_id}/dataset": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Create Uploaded Dataset
         * @description Make a dataset of an upload that has arrived; what is no dataset is refused, and the upload stays.
         */
        post: operations["createUploadedDataset"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/healthz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Healthz
         * @description Tell that the server answers; needs no token.
         */
        get: operations["healthz"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Server Metrics
         * @description Return what the server counts, in the text format of Prometheus.
         */
        get: operations["serverMetrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/chat/completions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Create Chat Completion
         * @description Go on with a conversation, whole or as a stream, in the shape of OpenAI's API.
         */
        post: operations["createChatCompletion"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/completions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Create Completion
         * @description Go on with a text, whole or as a stream, in the shape of OpenAI's API.
         */
        post: operations["createCompletion"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/models": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Openai Models
         * @description List the models that can be asked, in the shape of OpenAI's API.
         */
        get: operations["listOpenaiModels"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/models/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Openai Model
         * @description Tell of one model, in the shape of OpenAI's API.
         */
        get: operations["getOpenaiModel"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * Action
         * @description The next step that a hint words, as data: `values` are sent as they stand.
         *
         *     change_settings: `settings` of a plan, a new job or a clone. repair_dataset: beside `version` the body of
         *     POST /api/datasets/{dataset_id}/repair. resume_job, retry_job, cancel_job: POST /api/jobs/{job_id}/resume and so on.
         *     evaluate: POST /api/evaluations for the job. export: POST /api/exports for the job.
         * @example {
         *       "name": "change_settings",
         *       "values": {
         *         "max_length": 512
         *       }
         *     }
         */
        Action: {
            /**
             * Name
             * @enum {string}
             */
            name: "change_settings" | "repair_dataset" | "resume_job" | "retry_job" | "cancel_job" | "evaluate" | "export";
            /** Values */
            values: {
                [key: string]: unknown;
            };
        };
        /**
         * Bar
         * @description How many numbers are larger than `over` and at most `up_to`.
         */
        Bar: {
            /** Count */
            count: number;
            /** Over */
            over: number;
            /** Up To */
            up_to: number;
        };
        /**
         * Base
         * @description The base model of a job: its name, and the digest of its files.
         */
        Base: {
            /** Digest */
            digest: string | null;
            /** Name */
            name: string | null;
        };
        /**
         * BatchRequest
         * @description Training jobs to queue together, all or none, at most 50.
         * @example {
         *       "jobs": [
         *         {
         *           "base_model": "nano",
         *           "dataset_id": "01M8K3V5E8ZC4Y2Q6T1N9B7R0X",
         *           "preset": "light"
         *         }
         *       ]
         *     }
         */
        BatchRequest: {
            /** Jobs */
            jobs: components["schemas"]["TrainingRequest"][];
        };
        /**
         * Best
         * @description The lowest loss on held-out rows, and the step where it was measured.
         */
        Best: {
            /** Eval Loss */
            eval_loss: number;
            /** Step */
            step: number;
        };
        /** Body_uploadDataset */
        Body_uploadDataset: {
            /**
             * Description
             * @default
             */
            description: string;
            /** Encoding */
            encoding?: string | null;
            /** File */
            file: string;
            /** Map */
            map?: string | null;
            /** Name */
            name?: string | null;
            /** Type */
            type?: string | null;
        };
        /**
         * ChatCompletionRequest
         * @description A conversation to go on with.
         */
        ChatCompletionRequest: {
            /**
             * Logprobs
             * @default false
             */
            logprobs: boolean | null;
            /** Max Completion Tokens */
            max_completion_tokens?: number | null;
            /** Max Tokens */
            max_tokens?: number | null;
            /** Messages */
            messages: components["schemas"]["ChatMessage"][];
            /** Model */
            model: string;
            /** Seed */
            seed?: number | null;
            /** Stop */
            stop?: string | string[] | null;
            /**
             * Stream
             * @default false
             */
            stream: boolean | null;
            stream_options?: components["schemas"]["StreamOptions"] | null;
            /** Temperature */
            temperature?: number | null;
            /** Top Logprobs */
            top_logprobs?: number | null;
            /** Top P */
            top_p?: number | null;
        } & {
            [key: string]: unknown;
        };
        /**
         * ChatMessage
         * @description One turn of a conversation.
         */
        ChatMessage: {
            /** Content */
            content?: string | components["schemas"]["TextPart"][] | null;
            /**
             * Role
             * @enum {string}
             */
            role: "system" | "developer" | "user" | "assistant";
        };
        /**
         * ChatModel
         * @description A model that can be asked; `base` is what a job began with. `memory_bytes` is what a loaded one holds.
         */
        ChatModel: {
            /** Base Model */
            base_model: string | null;
            /** Created At */
            created_at: string | null;
            /** Id */
            id: string;
            /** Is Loaded */
            is_loaded: boolean;
            /** Job Id */
            job_id: string | null;
            /**
             * Kind
             * @enum {string}
             */
            kind: "bundled" | "job" | "base" | "export";
            /** Memory Bytes */
            memory_bytes: number | null;
            /** Name */
            name: string;
            /** System */
            system: string | null;
        };
        /**
         * ChatModelList
         * @description Models that can be asked now.
         */
        ChatModelList: {
            /** Items */
            items: components["schemas"]["ChatModel"][];
            /** Next Cursor */
            next_cursor: string | null;
        };
        /**
         * ChatRequest
         * @description The same decoding and seed for every column; `top_logprobs` tells the likeliest tokens with each one.
         */
        ChatRequest: {
            /** Columns */
            columns: components["schemas"]["Column-Input"][];
            /**
             * Max Length
             * @default 100
             */
            max_length: number;
            /**
             * Raw
             * @default false
             */
            raw: boolean;
            /**
             * Repetition Penalty
             * @default 1.1
             */
            repetition_penalty: number;
            /** Seed */
            seed?: number | null;
            /**
             * Stop
             * @default []
             */
            stop: string[];
            /** System */
            system?: string | null;
            /**
             * Temperature
             * @default 0.7
             */
            temperature: number;
            /** Top Logprobs */
            top_logprobs?: number | null;
            /**
             * Top P
             * @default 0.9
             */
            top_p: number;
        };
        /**
         * Check
         * @description One question about this machine, its answer, and what to do.
         */
        Check: {
            /** Data */
            data: {
                [key: string]: unknown;
            };
            /** Hint */
            hint: string;
            /** Id */
            id: string;
            /** Message */
            message: string;
            /**
             * Status
             * @enum {string}
             */
            status: "ok" | "warning" | "error";
        };
        /**
         * CheckedServer
         * @description What the server's version can do, and how it answered.
         */
        CheckedServer: {
            /** Abilities */
            abilities: {
                [key: string]: boolean;
            };
            /** Checks */
            checks: components["schemas"]["ServerCheck"][];
            /** Url */
            url: string;
            /** Version */
            version: string;
        };
        /**
         * Checkpoint
         * @description A saved state; `is_whole` says that every file of its manifest is there in full length.
         */
        Checkpoint: {
            /** Created At */
            created_at: string;
            /** Is Whole */
            is_whole: boolean;
            /** Name */
            name: string;
            /** Num Bytes */
            num_bytes: number;
            /** Run */
            run: number;
            /** Step */
            step: number;
        };
        /**
         * CheckpointList
         * @description Checkpoints, the newest step first.
         */
        CheckpointList: {
            /** Items */
            items: components["schemas"]["Checkpoint"][];
            /** Next Cursor */
            next_cursor?: null;
        };
        /**
         * Clone
         * @description The name of the copy (null: the same), and for training settings to change; null takes back what was chosen.
         * @example {
         *       "name": "r=16",
         *       "settings": {
         *         "r": 16
         *       }
         *     }
         */
        Clone: {
            /** Name */
            name?: string | null;
            /** Settings */
            settings?: {
                [key: string]: unknown;
            };
        };
        /**
         * Column
         * @description One model with its own history; the last turn is the question, with `raw` the text to continue.
         */
        "Column-Input": {
            /** Messages */
            messages: components["schemas"]["Turn"][];
            /** Model */
            model: string;
        };
        /**
         * Column
         * @description A column of a file, and what stands in its first rows.
         */
        "Column-Output": {
            /** Examples */
            examples: string[];
            /** Name */
            name: string;
        };
        /**
         * ColumnDoubt
         * @description Columns whose meaning is not clear, and the likeliest one: field -> column.
         */
        ColumnDoubt: {
            /** Map */
            map: {
                [key: string]: string;
            };
            /** Names */
            names: components["schemas"]["Column-Output"][];
        };
        /**
         * CombinationRequest
         * @description Finished jobs on one base; without weights all count alike. `density` is for ties and the dare methods.
         */
        CombinationRequest: {
            /** Density */
            density?: number | null;
            /** Job Ids */
            job_ids: string[];
            /**
             * Method
             * @default svd
             * @enum {string}
             */
            method: "svd" | "cat" | "linear" | "ties" | "dare_linear" | "dare_ties";
            /** Name */
            name?: string | null;
            /** Weights */
            weights?: number[] | null;
        };
        /**
         * ComparedAnswer
         * @description A taught question: its row of the data, what was taught, the trained model's answer, and each file's by name.
         */
        ComparedAnswer: {
            /** Files */
            files: {
                [key: string]: string;
            };
            /** Question */
            question: string;
            /** Row */
            row: number;
            /** Taught */
            taught: string;
            /** Trained */
            trained: string;
        };
        /**
         * ComparedFile
         * @description What verification measured of a file: null where it was not.
         *
         *     `kl` and `top1_agreement` are to the trained model; `num_known` are the taught facts that it answers with,
         *     `num_kept` those that the file does as well; the speed is that of the answers, the questions' reading included.
         */
        ComparedFile: {
            /** File */
            file: string;
            /** Kl */
            kl: number | null;
            /** Num Kept */
            num_kept: number | null;
            /** Num Known */
            num_known: number | null;
            /** Quantization */
            quantization: string | null;
            /** Size Bytes */
            size_bytes: number | null;
            /** Tokens Per Second */
            tokens_per_second: number | null;
            /** Top1 Agreement */
            top1_agreement: number | null;
            /** Verdict */
            verdict: string | null;
        };
        /**
         * ComparedJob
         * @description A job of a comparison.
         */
        ComparedJob: {
            /** Base Model */
            base_model: string;
            /** Data */
            data: string;
            /** Id */
            id: string;
            /** Is Evaluated */
            is_evaluated: boolean;
            /** Method */
            method: string;
            /** Name */
            name: string;
            /** Status */
            status: string;
        };
        /**
         * ComparedMetric
         * @description A number of each job, null where it was not measured; `best` are positions, none where they say nothing.
         */
        ComparedMetric: {
            /** Best */
            best: number[];
            /** Better */
            better: string;
            /** Name */
            name: string;
            /** Values */
            values: (number | null)[];
        };
        /**
         * Comparison
         * @description Jobs side by side: the settings that differ, and what came of them.
         */
        Comparison: {
            /** Differences */
            differences: components["schemas"]["Difference"][];
            /** Jobs */
            jobs: components["schemas"]["ComparedJob"][];
            /** Metrics */
            metrics: components["schemas"]["ComparedMetric"][];
            /** Notes */
            notes: components["schemas"]["Note"][];
        };
        /**
         * ComparisonRequest
         * @description The training jobs to compare.
         */
        ComparisonRequest: {
            /** Job Ids */
            job_ids: string[];
        };
        /**
         * CompletionRequest
         * @description A text to go on with.
         */
        CompletionRequest: {
            /** Logprobs */
            logprobs?: number | null;
            /** Max Tokens */
            max_tokens?: number | null;
            /** Model */
            model: string;
            /** Prompt */
            prompt: string | string[];
            /** Seed */
            seed?: number | null;
            /** Stop */
            stop?: string | string[] | null;
            /**
             * Stream
             * @default false
             */
            stream: boolean | null;
            stream_options?: components["schemas"]["StreamOptions"] | null;
            /** Temperature */
            temperature?: number | null;
            /** Top P */
            top_p?: number | null;
        } & {
            [key: string]: unknown;
        };
        /**
         * Cpu
         * @description Processor: `percent` of all cores since the last look.
         */
        Cpu: {
            /** Cores */
            cores: number;
            /** Percent */
            percent: number;
            /** Threads */
            threads: number;
        };
        /**
         * Curve
         * @description A metric as columns: from which to which step, its lowest, highest and mean value there.
         *
         *     `is_exact`: every value has a point of its own. Else neighbouring steps share one, and no spike is lost.
         * @example {
         *       "first_step": [
         *         1
         *       ],
         *       "highest": [
         *         7
         *       ],
         *       "is_exact": false,
         *       "last_step": [
         *         3
         *       ],
         *       "lowest": [
         *         4.3
         *       ],
         *       "mean": [
         *         6
         *       ]
         *     }
         */
        Curve: {
            /** First Step */
            first_step: number[];
            /** Highest */
            highest: number[];
            /** Is Exact */
            is_exact: boolean;
            /** Last Step */
            last_step: number[];
            /** Lowest */
            lowest: number[];
            /** Mean */
            mean: number[];
        };
        /**
         * Curves
         * @description The curves of a job by metric; one without values has empty columns.
         */
        Curves: {
            /** Curves */
            curves: {
                [key: string]: components["schemas"]["Curve"];
            };
            /** Step */
            step: number | null;
            /** Total Steps */
            total_steps: number | null;
        };
        /**
         * CurvesList
         * @description The curves of several jobs.
         */
        CurvesList: {
            /** Items */
            items: components["schemas"]["CurvesOfJob"][];
            /** Next Cursor */
            next_cursor?: null;
        };
        /**
         * CurvesOfJob
         * @description The curves of a job in a list of jobs.
         */
        CurvesOfJob: {
            /** Curves */
            curves: {
                [key: string]: components["schemas"]["Curve"];
            };
            /** Job Id */
            job_id: string;
            /** Step */
            step: number | null;
            /** Total Steps */
            total_steps: number | null;
        };
        /**
         * Dataset
         * @description A dataset with what its check has found: the first 20 problems of each code, numbers, and what is in doubt.
         */
        Dataset: {
            /** Change */
            change: {
                [key: string]: unknown;
            } | null;
            /** Columns */
            columns: {
                [key: string]: string;
            };
            /** Created At */
            created_at: string;
            /** Description */
            description: string;
            doubts: components["schemas"]["Doubts"] | null;
            /** Encoding */
            encoding: string | null;
            /** Format */
            format: string | null;
            /** Id */
            id: string;
            /** Name */
            name: string;
            /** Num Bytes */
            num_bytes: number;
            /** Num Examples */
            num_examples: number;
            /** Ok */
            ok: boolean;
            /** Problems */
            problems: components["schemas"]["RowProblem"][];
            /** Sha256 */
            sha256: string;
            /** Stats */
            stats: {
                [key: string]: unknown;
            };
            /** Type */
            type: string | null;
            /** Version */
            version: number;
        };
        /**
         * DatasetList
         * @description Datasets, the newest first; `next_cursor` is the `before` of the next page.
         */
        DatasetList: {
            /** Items */
            items: components["schemas"]["DatasetSummary"][];
            /** Next Cursor */
            next_cursor: string | null;
        };
        /**
         * DatasetOfJob
         * @description A dataset that a job reads: for what, how much of it (null: all), and its name while it is there.
         */
        DatasetOfJob: {
            /** Id */
            id: string;
            /** Name */
            name: string | null;
            /** Role */
            role: string;
            /** Share */
            share: number | null;
        };
        /**
         * DatasetPair
         * @description The two datasets that one was divided into.
         */
        DatasetPair: {
            eval: components["schemas"]["DatasetSummary"];
            train: components["schemas"]["DatasetSummary"];
        };
        /**
         * DatasetPreview
         * @description A dataset as it would be trained on; with a `refusal` training would refuse it, and there are no rows.
         */
        DatasetPreview: {
            /** Items */
            items: components["schemas"]["TrainingRow"][];
            /** Lengths */
            lengths: components["schemas"]["LengthTrial"][];
            /** Max Length */
            max_length: number;
            /** Next Cursor */
            next_cursor: string | null;
            /** Num Examples */
            num_examples: number;
            /** Num Label Tokens */
            num_label_tokens: number;
            /** Num Rows */
            num_rows: number;
            /** Num Tokens */
            num_tokens: number;
            /** Num Truncated */
            num_truncated: number;
            /** Refusal */
            refusal: {
                [key: string]: unknown;
            } | null;
            /** Template */
            template: string;
            /** Template Source */
            template_source: string;
            tokens: components["schemas"]["TokenCounts"];
            /** Unknown Share */
            unknown_share: number;
            /** Version */
            version: number;
        };
        /**
         * DatasetProblems
         * @description A page of problems, errors first; of each code the first 10,000 are listed, `counts` cover all.
         */
        DatasetProblems: {
            /** Counts */
            counts: {
                [key: string]: number;
            };
            /** Items */
            items: components["schemas"]["RowProblem"][];
            /** Next Cursor */
            next_cursor: string | null;
            /** Version */
            version: number;
        };
        /**
         * DatasetRequest
         * @description Rows to keep as a dataset; `type` is instruction, chat, completion or text, or its Japanese word.
         */
        DatasetRequest: {
            /**
             * Description
             * @default
             */
            description: string;
            /** Examples */
            examples: {
                [key: string]: unknown;
            }[];
            /** Name */
            name: string;
            /** Type */
            type?: string | null;
        };
        /**
         * DatasetRow
         * @description One row as it stands in the file, and as it is trained on.
         *
         *     `fields` is null for a row that cannot be read, `text` is its line then; `example` is null for a row that cannot be
         *     trained on. Texts are cut to 4,000 characters (`is_shortened`).
         */
        DatasetRow: {
            /** Example */
            example: {
                [key: string]: unknown;
            } | null;
            /** Fields */
            fields: {
                [key: string]: unknown;
            } | null;
            /** Is Shortened */
            is_shortened: boolean;
            /** Line */
            line: number | null;
            /** Problems */
            problems: components["schemas"]["RowProblem"][];
            /** Row */
            row: number;
            /** Text */
            text: string | null;
        };
        /**
         * DatasetRows
         * @description A page of rows; `next_cursor` is the `cursor` of the next page, so any row number can be jumped to.
         */
        DatasetRows: {
            /** Items */
            items: components["schemas"]["DatasetRow"][];
            /** Next Cursor */
            next_cursor: string | null;
            /** Num Rows */
            num_rows: number;
            /** Version */
            version: number;
        };
        /**
         * DatasetStats
         * @description Numbers about a dataset; those in tokens only where a model was named, null where older checks did not count.
         */
        DatasetStats: {
            answer_characters: components["schemas"]["Quantiles"] | null;
            answers: components["schemas"]["Quantiles"] | null;
            characters: components["schemas"]["Quantiles"] | null;
            /** Columns */
            columns: {
                [key: string]: unknown;
            };
            /** Duplicates */
            duplicates: {
                [key: string]: number;
            };
            /** Histograms */
            histograms: {
                [key: string]: components["schemas"]["Bar"][];
            };
            /** Languages */
            languages: {
                [key: string]: number;
            };
            /** Learned Share */
            learned_share: number | null;
            /** Num Bytes */
            num_bytes: number;
            /** Num Characters */
            num_characters: number | null;
            /** Num Examples */
            num_examples: number;
            /** Num Rows */
            num_rows: number | null;
            /** Personal Data */
            personal_data: {
                [key: string]: number;
            };
            /** Size Class */
            size_class: string | null;
            /** Style */
            style: {
                [key: string]: number;
            } | null;
            /** Terms Per 100 Characters */
            terms_per_100_characters: number | null;
            tokens: components["schemas"]["TokenCounts"] | null;
            turns: components["schemas"]["Quantiles"] | null;
            /** Version */
            version: number;
        };
        /**
         * DatasetSummary
         * @description A dataset; one with `ok` false cannot be trained on. An edit makes the next `version`, `change` says how.
         */
        DatasetSummary: {
            /** Change */
            change: {
                [key: string]: unknown;
            } | null;
            /** Columns */
            columns: {
                [key: string]: string;
            };
            /** Created At */
            created_at: string;
            /** Description */
            description: string;
            /** Encoding */
            encoding: string | null;
            /** Format */
            format: string | null;
            /** Id */
            id: string;
            /** Name */
            name: string;
            /** Num Bytes */
            num_bytes: number;
            /** Num Examples */
            num_examples: number;
            /** Ok */
            ok: boolean;
            /** Sha256 */
            sha256: string;
            /** Type */
            type: string | null;
            /** Version */
            version: number;
        };
        /**
         * DatasetUser
         * @description A job that reads a dataset.
         */
        DatasetUser: {
            /** Created At */
            created_at: string;
            /** Id */
            id: string;
            /** Kind */
            kind: string;
            /** Name */
            name: string;
            /** Status */
            status: string;
        };
        /**
         * DatasetUsers
         * @description The jobs that read a dataset, the newest first.
         */
        DatasetUsers: {
            /** Items */
            items: components["schemas"]["DatasetUser"][];
            /** Next Cursor */
            next_cursor: string | null;
        };
        /**
         * DatasetVersion
         * @description A version of a dataset whose file is kept; `change` tells how it was made.
         */
        DatasetVersion: {
            /** Change */
            change: {
                [key: string]: unknown;
            } | null;
            /** Num Bytes */
            num_bytes: number;
            /** Num Examples */
            num_examples: number;
            /** Ok */
            ok: boolean;
            /** Sha256 */
            sha256: string;
            /** Version */
            version: number;
        };
        /**
         * DatasetVersions
         * @description The versions of a dataset, the newest first.
         */
        DatasetVersions: {
            /** Items */
            items: components["schemas"]["DatasetVersion"][];
            /** Next Cursor */
            next_cursor: string | null;
        };
        /**
         * Difference
         * @description A setting that differs, with its value in each job.
         */
        Difference: {
            /** Field */
            field: string;
            /** Values */
            values: unknown[];
        };
        /**
         * Disk
         * @description The disk of the workspace.
         */
        Disk: {
            /** Free Bytes */
            free_bytes: number;
            /** Path */
            path: string;
            /** Total Bytes */
            total_bytes: number;
        };
        /**
         * DiskNeed
         * @description Disk that a run needs at its peak, what is free, and what of it has to stay free.
         */
        DiskNeed: {
            /** Free Bytes */
            free_bytes: number;
            /** Needed Bytes */
            needed_bytes: number;
            /** Reserve Bytes */
            reserve_bytes: number;
        };
        /**
         * DoctorReport
         * @description Every check; `ok` is false when one of them is an error.
         */
        DoctorReport: {
            /** Checks */
            checks: components["schemas"]["Check"][];
            /** Ok */
            ok: boolean;
            /** Version */
            version: string;
        };
        /**
         * Doubts
         * @description What only a person can tell; the answers are `encoding` and `map` of an upload or a repair.
         */
        Doubts: {
            columns: components["schemas"]["ColumnDoubt"] | null;
            /** Encodings */
            encodings: components["schemas"]["EncodingProposal"][];
        };
        /**
         * Drift
         * @description General questions whose answers became empty or repetitive, and those answered with a learned answer.
         */
        Drift: {
            /** Echoes */
            echoes: number;
            /** Newly Broken */
            newly_broken: number;
            /** Num Questions */
            num_questions: number;
        } & {
            [key: string]: unknown;
        };
        /**
         * EncodedLine
         * @description A line of a file as UTF-8 shows it, and as an encoding does.
         */
        EncodedLine: {
            /** After */
            after: string;
            /** Before */
            before: string;
            /** Line */
            line: number;
        };
        /**
         * EncodingProposal
         * @description An encoding that reads a whole file.
         */
        EncodingProposal: {
            /** Encoding */
            encoding: string;
            /** Lines */
            lines: components["schemas"]["EncodedLine"][];
        };
        /**
         * Epoch
         * @description One pass over the rows: mean and lowest loss, the last loss on held-out rows, the mean speed.
         */
        Epoch: {
            /** Epoch */
            epoch: number;
            /** Eval Loss */
            eval_loss: number | null;
            /** First Step */
            first_step: number;
            /** Last Step */
            last_step: number;
            /** Loss */
            loss: number | null;
            /** Lowest Loss */
            lowest_loss: number | null;
            /** Tokens Per Second */
            tokens_per_second: number | null;
        };
        /**
         * EpochList
         * @description The newest 1,000 epochs of a job, ascending.
         */
        EpochList: {
            /** Items */
            items: components["schemas"]["Epoch"][];
            /** Next Cursor */
            next_cursor?: null;
        };
        /**
         * EvaluatedItem
         * @description A question with its reference and both answers; `verdict` is that of its worst fact, null without facts.
         */
        EvaluatedItem: {
            base: components["schemas"]["GivenAnswer"];
            /** Facts */
            facts: components["schemas"]["JudgedFact"][];
            /**
             * Paraphrases
             * @default []
             */
            paraphrases: components["schemas"]["Rewording"][];
            /** Question */
            question: string;
            /** Reference */
            reference: string;
            tuned: components["schemas"]["GivenAnswer"];
            /** Verdict */
            verdict: string | null;
        } & {
            [key: string]: unknown;
        };
        /**
         * Evaluation
         * @description An evaluation with its report (schema llmlora.evaluation/1), null until it has ended.
         */
        Evaluation: {
            /** Base Model */
            base_model: string | null;
            /** Created At */
            created_at: string;
            /** Dataset Id */
            dataset_id: string | null;
            /** Ended At */
            ended_at: string | null;
            error: components["schemas"]["JobError"] | null;
            /** Eval Dataset Id */
            eval_dataset_id: string | null;
            /** Id */
            id: string;
            /** Job Id */
            job_id: string | null;
            /** Kind */
            kind: string;
            learned: components["schemas"]["Learned"] | null;
            /** Name */
            name: string;
            obstacle: components["schemas"]["JobError"] | null;
            /** Parent Id */
            parent_id: string | null;
            /** Position */
            position: number;
            progress: components["schemas"]["Progress"];
            /** Reason */
            reason: string | null;
            report: components["schemas"]["EvaluationReport"] | null;
            /** Run */
            run: number;
            /** Started At */
            started_at: string | null;
            /** Status */
            status: string;
            /** Stop Request */
            stop_request: string | null;
        };
        /**
         * EvaluationList
         * @description Evaluations, the newest first; `next_cursor` is the `before` of the next page.
         */
        EvaluationList: {
            /** Items */
            items: components["schemas"]["EvaluationSummary"][];
            /** Next Cursor */
            next_cursor: string | null;
        };
        /**
         * EvaluationReport
         * @description A report of schema llmlora.evaluation/1.
         */
        EvaluationReport: {
            facts: components["schemas"]["FactCounts"];
            forgetting: components["schemas"]["Forgetting"] | null;
            /** Items */
            items: components["schemas"]["EvaluatedItem"][];
            ladder?: components["schemas"]["Ladder"] | null;
            quality?: components["schemas"]["Quality"] | null;
        } & {
            [key: string]: unknown;
        };
        /**
         * EvaluationRequest
         * @description A finished training job; without a dataset the questions come from its training data.
         *
         *     `ladder` asks the base with a system message and with examples of the training data, too. `check_quality` measures
         *     terms (names in the references, and those of `glossary`), consistency, safety and fluency.
         */
        EvaluationRequest: {
            /**
             * Check Forgetting
             * @default true
             */
            check_forgetting: boolean;
            /**
             * Check Quality
             * @default true
             */
            check_quality: boolean;
            /** Dataset Id */
            dataset_id?: string | null;
            /**
             * Glossary
             * @default []
             */
            glossary: string[];
            /** Job Id */
            job_id: string;
            /**
             * Ladder
             * @default false
             */
            ladder: boolean;
            /**
             * Max Questions
             * @default 20
             */
            max_questions: number;
            /** Name */
            name?: string | null;
            /**
             * Rewrite
             * @default false
             */
            rewrite: boolean;
        };
        /**
         * EvaluationSummary
         * @description An evaluation; `job_id` is the training job that it is about.
         */
        EvaluationSummary: {
            /** Base Model */
            base_model: string | null;
            /** Created At */
            created_at: string;
            /** Dataset Id */
            dataset_id: string | null;
            /** Ended At */
            ended_at: string | null;
            error: components["schemas"]["JobError"] | null;
            /** Eval Dataset Id */
            eval_dataset_id: string | null;
            /** Id */
            id: string;
            /** Job Id */
            job_id: string | null;
            /** Kind */
            kind: string;
            learned: components["schemas"]["Learned"] | null;
            /** Name */
            name: string;
            obstacle: components["schemas"]["JobError"] | null;
            /** Parent Id */
            parent_id: string | null;
            /** Position */
            position: number;
            progress: components["schemas"]["Progress"];
            /** Reason */
            reason: string | null;
            /** Run */
            run: number;
            /** Started At */
            started_at: string | null;
            /** Status */
            status: string;
            /** Stop Request */
            stop_request: string | null;
        };
        /**
         * Event
         * @description One event of a job as the stream has it.
         */
        Event: {
            /** Data */
            data: {
                [key: string]: unknown;
            };
            /** Id */
            id: number;
            /** Run */
            run: number;
            /** Seq */
            seq: number | null;
            /** Time */
            time: string;
            /** Type */
            type: string;
        };
        /**
         * EventList
         * @description Events, the oldest first; `next_cursor` is the `after` of the next page.
         */
        EventList: {
            /** Items */
            items: components["schemas"]["Event"][];
            /** Next Cursor */
            next_cursor: string | null;
        };
        /**
         * Export
         * @description An export with the files that are there by now; `model_file` is the one for Ollama and for chat.
         *
         *     `ollama_name` is a name for it in Ollama, made of its own; `ollama` is its last registration there.
         */
        Export: {
            /** Adapter */
            adapter: boolean | null;
            /** Base Model */
            base_model: string | null;
            /** Created At */
            created_at: string;
            /** Dataset Id */
            dataset_id: string | null;
            /** Ended At */
            ended_at: string | null;
            error: components["schemas"]["JobError"] | null;
            /** Eval Dataset Id */
            eval_dataset_id: string | null;
            /** Files */
            files: components["schemas"]["ExportFile"][];
            /** Id */
            id: string;
            /** Job Id */
            job_id: string | null;
            /** Keep Merged */
            keep_merged: boolean | null;
            /** Kind */
            kind: string;
            learned: components["schemas"]["Learned"] | null;
            /** Model File */
            model_file: string | null;
            /** Name */
            name: string;
            obstacle: components["schemas"]["JobError"] | null;
            ollama: components["schemas"]["OllamaRegistration"] | null;
            /** Ollama Name */
            ollama_name: string;
            /** Parent Id */
            parent_id: string | null;
            /** Position */
            position: number;
            progress: components["schemas"]["Progress"];
            /** Quantizations */
            quantizations: string[] | null;
            /** Reason */
            reason: string | null;
            /** Run */
            run: number;
            /** Started At */
            started_at: string | null;
            /** Status */
            status: string;
            /** Stop Request */
            stop_request: string | null;
        };
        /**
         * ExportCheck
         * @description A check of a file: what was measured, against which limits; `text` words the cause where it has failed.
         */
        ExportCheck: {
            /** Cause */
            cause: string | null;
            /** Check */
            check: string;
            /** Detail */
            detail: string;
            /** Limits */
            limits: {
                [key: string]: number;
            };
            /** Measured */
            measured: {
                [key: string]: unknown;
            };
            /** Ok */
            ok: boolean;
            /** Text */
            text: string | null;
        };
        /**
         * ExportFile
         * @description A file; `verdict` is verified, lossy or failed, null while it is not verified yet.
         */
        ExportFile: {
            /** Checks */
            checks: components["schemas"]["ExportCheck"][];
            /** File */
            file: string;
            /** Quantization */
            quantization: string | null;
            /** Sha256 */
            sha256: string;
            /** Size Bytes */
            size_bytes: number;
            /** Verdict */
            verdict: string | null;
        };
        /**
         * ExportFileList
         * @description The files of an export.
         */
        ExportFileList: {
            /** Items */
            items: components["schemas"]["ExportFile"][];
            /** Next Cursor */
            next_cursor: string | null;
        };
        /**
         * ExportList
         * @description Exports, the newest first; `next_cursor` is the `before` of the next page.
         */
        ExportList: {
            /** Items */
            items: components["schemas"]["Export"][];
            /** Next Cursor */
            next_cursor: string | null;
        };
        /**
         * ExportRequest
         * @description A finished training job and the GGUF files to make of it; without quantizations its base decides.
         *
         *     Among them, `stitched` is the base's GGUF file with what training changed, which is rewritten in `stitch_type`.
         */
        ExportRequest: {
            /**
             * Adapter
             * @default false
             */
            adapter: boolean;
            /** Job Id */
            job_id: string;
            /**
             * Keep Merged
             * @default false
             */
            keep_merged: boolean;
            /** Name */
            name?: string | null;
            /** Quantizations */
            quantizations?: string[] | null;
            /** Stitch Type */
            stitch_type?: ("Q8_0" | "Q6_K" | "Q5_K" | "Q4_K" | "base") | null;
        };
        /**
         * FactCounts
         * @description How many facts were asked for and answered, also in other words, and what became of them.
         */
        FactCounts: {
            /**
             * Asked In Other Words
             * @default 0
             */
            asked_in_other_words: number;
            /** Broken */
            broken: number;
            /**
             * In Other Words
             * @default 0
             */
            in_other_words: number;
            /** Known */
            known: number;
            /** Learned */
            learned: number;
            /** Not Learned */
            not_learned: number;
            /** Remembered */
            remembered: number;
            /** Remembered Before */
            remembered_before: number;
            /** Surface */
            surface: number;
            /** Total */
            total: number;
        } & {
            [key: string]: unknown;
        };
        /**
         * FileComparison
         * @description The files of an export side by side; both lists are empty while they are not verified.
         */
        FileComparison: {
            /** Answers */
            answers: components["schemas"]["ComparedAnswer"][];
            /** Files */
            files: components["schemas"]["ComparedFile"][];
        };
        /**
         * FileList
         * @description The first 2,000 files of a job.
         */
        FileList: {
            /** Items */
            items: components["schemas"]["JobFile"][];
            /** Next Cursor */
            next_cursor?: null;
        };
        /**
         * Finding
         * @description One thing that a job's numbers say: `params` are its evidence, `text` and `advice` the words.
         *
         *     `settings` are the changes for POST /api/jobs/{job_id}/clone that mend it; null is not known. `action` is the next
         *     step as data, also where it is no change of settings.
         * @example {
         *       "action": {
         *         "name": "change_settings",
         *         "values": {}
         *       },
         *       "advice": "The run has fewer steps than recommended for these rows.",
         *       "code": "still_falling",
         *       "params": {
         *         "first": "6.016",
         *         "last": "1.714"
         *       },
         *       "settings": {},
         *       "text": "The loss is still falling (6.016 → 1.714): a longer run can learn more.",
         *       "type": "finding"
         *     }
         */
        Finding: {
            action: components["schemas"]["Action"] | null;
            /** Advice */
            advice: string | null;
            /** Code */
            code: string | null;
            /** Params */
            params: {
                [key: string]: unknown;
            };
            /** Settings */
            settings: {
                [key: string]: unknown;
            } | null;
            /** Step */
            step: number | null;
            /** Text */
            text: string;
            /**
             * Type
             * @enum {string}
             */
            type: "error" | "finding" | "warning";
        };
        /**
         * FindingList
         * @description What is known of a job, the gravest first.
         */
        FindingList: {
            /** Items */
            items: components["schemas"]["Finding"][];
            /** Next Cursor */
            next_cursor?: null;
        };
        /**
         * FixedSetting
         * @description One value that only a file, the environment or the command line changes.
         */
        FixedSetting: {
            /** Name */
            name: string;
            /**
             * Origin
             * @enum {string}
             */
            origin: "default" | "environment" | "command_line";
            /** Value */
            value: unknown;
        };
        /**
         * Fluency
         * @description Answers that run in circles, those that end by themselves, and how surprising the base finds them all.
         */
        Fluency: {
            /** Perplexity */
            perplexity: number | null;
            /** Repetition Rate */
            repetition_rate: number | null;
            /** Stop Rate */
            stop_rate: number | null;
        } & {
            [key: string]: unknown;
        };
        /**
         * FluencyPair
         * @description Fluency before and after training.
         */
        FluencyPair: {
            base: components["schemas"]["Fluency"];
            tuned: components["schemas"]["Fluency"];
        } & {
            [key: string]: unknown;
        };
        /**
         * Forgetting
         * @description What training has cost elsewhere: `light` is green, yellow or red; older reports have measured less.
         */
        Forgetting: {
            drift: components["schemas"]["Drift"];
            general?: components["schemas"]["GeneralKnowledge"] | null;
            /** Light */
            light: string;
            untaught?: components["schemas"]["Untaught"] | null;
            worst_kind?: components["schemas"]["WorstKind"] | null;
        } & {
            [key: string]: unknown;
        };
        /**
         * GeneralKnowledge
         * @description Questions that everybody knows: those answered rightly before, and those of them answered wrongly after.
         */
        GeneralKnowledge: {
            /** Changed */
            changed: unknown[];
            /** Num Questions */
            num_questions: number;
            /** Right Before */
            right_before: number;
        } & {
            [key: string]: unknown;
        };
        /**
         * Generated
         * @description The answer; `finish_reason` length means that it was cut at `max_length` or at the end of the context.
         */
        Generated: {
            /**
             * Finish Reason
             * @enum {string}
             */
            finish_reason: "stop" | "length";
            /** Num Tokens */
            num_tokens: number;
            /** Text */
            text: string;
        };
        /**
         * GenerateRequest
         * @description What to ask: `model` is a bundled name, a job id, `job:<id>`, `job:<id>@base` or `export:<id>/Q4_K_M`.
         *
         *     `model_path` takes the same, and paths inside the workspace's jobs and exports. `prompt` is one user turn; with
         *     `raw` it is a text to continue. `max_length` counts new tokens; without a `seed` every answer is another one.
         */
        GenerateRequest: {
            /**
             * Max Length
             * @default 100
             */
            max_length: number;
            /** Model */
            model?: string | null;
            /** Model Path */
            model_path?: string | null;
            /** Prompt */
            prompt: string;
            /**
             * Raw
             * @default false
             */
            raw: boolean;
            /**
             * Repetition Penalty
             * @default 1.1
             */
            repetition_penalty: number;
            /** Seed */
            seed?: number | null;
            /** System */
            system?: string | null;
            /**
             * Temperature
             * @default 0.7
             */
            temperature: number;
            /**
             * Top P
             * @default 0.9
             */
            top_p: number;
        };
        /**
         * GivenAnswer
         * @description An answer of one side, and how near it is to the reference (chrF, 0 to 1).
         */
        GivenAnswer: {
            /** Chrf */
            chrf: number;
            /** Text */
            text: string;
        } & {
            [key: string]: unknown;
        };
        /**
         * Gpu
         * @description One graphics processor that the driver reports.
         */
        Gpu: {
            /** Memory Bytes */
            memory_bytes: number | null;
            /** Name */
            name: string;
        };
        /**
         * Health
         * @description The server answers.
         */
        Health: {
            /** Status */
            status: string;
        };
        /**
         * Job
         * @description A job with all that its page shows.
         *
         *     `reasons` says where each setting came from, `presets` which presets were asked for, `place` where it stands in the
         *     line, `facts` what its newest evaluation counted, `result_bytes` how large the adapter or model is that it made.
         */
        Job: {
            base: components["schemas"]["Base"];
            /** Base Model */
            base_model: string | null;
            best: components["schemas"]["Best"] | null;
            /** Created At */
            created_at: string;
            /** Dataset Id */
            dataset_id: string | null;
            /** Datasets */
            datasets: components["schemas"]["DatasetOfJob"][];
            /** Ended At */
            ended_at: string | null;
            error: components["schemas"]["JobError"] | null;
            /** Eval Dataset Id */
            eval_dataset_id: string | null;
            /** Facts */
            facts: {
                [key: string]: unknown;
            } | null;
            /** Id */
            id: string;
            /** Kind */
            kind: string;
            learned: components["schemas"]["Learned"] | null;
            /** Message */
            message: string | null;
            /** Name */
            name: string;
            /** Num Rows */
            num_rows: number | null;
            obstacle: components["schemas"]["JobError"] | null;
            /** Parent Id */
            parent_id: string | null;
            /** Place */
            place: number | null;
            /** Position */
            position: number;
            /** Presets */
            presets: {
                [key: string]: string;
            };
            progress: components["schemas"]["Progress"];
            /** Reason */
            reason: string | null;
            /** Reasons */
            reasons: {
                [key: string]: string;
            };
            replay: components["schemas"]["ReplayedRows"] | null;
            /** Result */
            result: {
                [key: string]: unknown;
            } | null;
            /** Result Bytes */
            result_bytes: number | null;
            /** Run */
            run: number;
            /** Runs */
            runs: components["schemas"]["Run"][];
            /** Settings */
            settings: {
                [key: string]: unknown;
            };
            /** Started At */
            started_at: string | null;
            /** Status */
            status: string;
            /** Stop Request */
            stop_request: string | null;
        };
        /**
         * JobBatch
         * @description The jobs that were queued together, in their order.
         */
        JobBatch: {
            /** Items */
            items: components["schemas"]["Job"][];
            /** Next Cursor */
            next_cursor?: null;
        };
        /**
         * JobError
         * @description Why a job failed: the code for programs, the rest in the caller's language.
         */
        JobError: {
            action: components["schemas"]["Action"] | null;
            /** Code */
            code: string | null;
            /** Detail */
            detail: string;
            /** Hint */
            hint: string;
            /** Params */
            params: {
                [key: string]: unknown;
            };
        };
        /**
         * JobFile
         * @description A file of a job by its name below the job's folder; `sha256` where it is recorded and the file unchanged.
         * @example {
         *       "changed_at": "2026-11-29T23:56:23+00:00",
         *       "name": "adapter/adapter_config.json",
         *       "num_bytes": 1203,
         *       "sha256": "74c85379fc7941eca8808f623ed684f0e3e9958bf56dc0490da34acd242a9381"
         *     }
         */
        JobFile: {
            /** Changed At */
            changed_at: string;
            /** Name */
            name: string;
            /** Num Bytes */
            num_bytes: number;
            /** Sha256 */
            sha256: string | null;
        };
        /**
         * JobList
         * @description Jobs, the newest first; `next_cursor` is the `before` of the next page.
         */
        JobList: {
            /** Items */
            items: components["schemas"]["JobSummary"][];
            /** Next Cursor */
            next_cursor: string | null;
        };
        /**
         * JobSummary
         * @description A job: `reason` says why it waits, is paused or failed, `stop_request` what its worker was asked for.
         *
         *     `obstacle` says why a paused, failed or canceled job cannot go on, null where it can. `learned` is null where
         *     nothing has been evaluated.
         */
        JobSummary: {
            /** Base Model */
            base_model: string | null;
            /** Created At */
            created_at: string;
            /** Dataset Id */
            dataset_id: string | null;
            /** Ended At */
            ended_at: string | null;
            error: components["schemas"]["JobError"] | null;
            /** Eval Dataset Id */
            eval_dataset_id: string | null;
            /** Id */
            id: string;
            /** Kind */
            kind: string;
            learned: components["schemas"]["Learned"] | null;
            /** Name */
            name: string;
            obstacle: components["schemas"]["JobError"] | null;
            /** Parent Id */
            parent_id: string | null;
            /** Position */
            position: number;
            progress: components["schemas"]["Progress"];
            /** Reason */
            reason: string | null;
            /** Run */
            run: number;
            /** Started At */
            started_at: string | null;
            /** Status */
            status: string;
            /** Stop Request */
            stop_request: string | null;
        };
        /**
         * JudgedFact
         * @description A fact of a reference answer: does the answer before and after training carry it, and what that means.
         */
        JudgedFact: {
            /** Base */
            base: boolean;
            /** Text */
            text: string;
            /** Tuned */
            tuned: boolean;
            /** Verdict */
            verdict: string;
        } & {
            [key: string]: unknown;
        };
        /**
         * KeptQuestion
         * @description A question of the file.
         */
        KeptQuestion: {
            /** Paraphrases */
            paraphrases?: string[];
            /** Prompt */
            prompt?: string | null;
            /** Reference */
            reference?: string | null;
        };
        /**
         * Ladder
         * @description Whether a prompt does as well as tuning: `as_well`, `better` or `worse`, and the best rung without tuning.
         */
        Ladder: {
            /** Best Prompt */
            best_prompt: string;
            /** Rungs */
            rungs: components["schemas"]["Rung"][];
            /** Verdict */
            verdict: string;
        } & {
            [key: string]: unknown;
        };
        /**
         * Learned
         * @description What the newest evaluation of a training job counted: facts answered after and before training, of how many.
         *
         *     `light` says whether anything else was lost (green, yellow or red), null where that was not measured.
         * @example {
         *       "light": "green",
         *       "remembered": 6,
         *       "remembered_before": 0,
         *       "total": 7
         *     }
         */
        Learned: {
            /** Light */
            light: string | null;
            /** Remembered */
            remembered: number;
            /** Remembered Before */
            remembered_before: number;
            /** Total */
            total: number;
        };
        /**
         * LengthTrial
         * @description What a max_length does: rows it cuts, and rows that lose their whole answer (the first 100 by number).
         */
        LengthTrial: {
            /** Max Length */
            max_length: number;
            /** Num Cut */
            num_cut: number;
            /** Num Vanished */
            num_vanished: number;
            /** Vanished Rows */
            vanished_rows: number[];
        };
        /**
         * Log
         * @description A piece of a log, as text; `offset` is the `after` of the next one, `runs` are the attempts that have a log.
         */
        Log: {
            /** Begins At */
            begins_at: number;
            /** Num Bytes */
            num_bytes: number;
            /** Offset */
            offset: number;
            /** Run */
            run: number;
            /** Runs */
            runs: number[];
            /** Text */
            text: string;
        };
        /**
         * MeasuredShare
         * @description How much of what was asked came, and between which shares 95 % of the resamples lie.
         */
        MeasuredShare: {
            /** Asked */
            asked: number;
            /** Carried */
            carried: number;
            /** High */
            high: number;
            /** Low */
            low: number;
            /** Share */
            share: number;
        } & {
            [key: string]: unknown;
        };
        /**
         * Memory
         * @description Main memory, within the container's limit.
         */
        Memory: {
            /** Available Bytes */
            available_bytes: number;
            /** Percent */
            percent: number;
            /** Total Bytes */
            total_bytes: number;
        };
        /**
         * MemoryNeed
         * @description Memory that a run needs at its peak, and what is free.
         */
        MemoryNeed: {
            /** Free Bytes */
            free_bytes: number;
            /** Needed Bytes */
            needed_bytes: number;
        };
        /**
         * MergeRequest
         * @description A finished training job, and the number format of the merged model; null is that of the base.
         */
        MergeRequest: {
            /** Dtype */
            dtype?: ("float32" | "float16" | "bfloat16") | null;
            /** Job Id */
            job_id: string;
            /** Name */
            name?: string | null;
        };
        /**
         * Model
         * @description A base model; `why_not` says in words why it cannot be trained here, `install` is the command that gets it.
         *
         *     `memory_bytes` is what training an adapter takes at least, null where the model's size is not known.
         */
        Model: {
            /** Architecture */
            architecture: string | null;
            /** Can Export */
            can_export: boolean;
            /** Can Train */
            can_train: boolean;
            /** Code */
            code: string | null;
            /** Context Length */
            context_length: number | null;
            /** Digest */
            digest: string | null;
            /** Dtype */
            dtype: string | null;
            /** Install */
            install: string | null;
            /** Kind */
            kind: string;
            /** License */
            license: string | null;
            /** Memory Bytes */
            memory_bytes: number | null;
            /** Model Type */
            model_type: string | null;
            /** Name */
            name: string;
            /** Num Bytes */
            num_bytes: number | null;
            /** Num Parameters */
            num_parameters: number | null;
            /** Recommended */
            recommended: {
                [key: string]: unknown;
            };
            /** Vocab Size */
            vocab_size: number | null;
            /** Why Not */
            why_not: string | null;
        };
        /**
         * ModelCheck
         * @description Whether a name stands for a model here; `why_not` says in words why it cannot be trained, `code` for programs.
         */
        ModelCheck: {
            /** Can Train */
            can_train: boolean;
            /** Code */
            code: string | null;
            /** Exists */
            exists: boolean;
            /** Name */
            name: string;
            /** Source */
            source: string | null;
            /** Why Not */
            why_not: string | null;
        };
        /**
         * ModelList
         * @description Base models.
         */
        ModelList: {
            /** Items */
            items: components["schemas"]["Model"][];
            /** Next Cursor */
            next_cursor: string | null;
        };
        /**
         * NewRow
         * @description A row in the form of the dataset's own rows.
         */
        NewRow: {
            /** Value */
            value: {
                [key: string]: unknown;
            };
            /**
             * Version
             * @description The version that was looked at; another one is a 409.
             */
            version: number;
        };
        /**
         * NightWindow
         * @description From when to when work may begin, by the clock of the machine; it may lie across midnight.
         */
        NightWindow: {
            /** End */
            end: string;
            /** Start */
            start: string;
        };
        /**
         * Note
         * @description What makes numbers incomparable or missing.
         */
        Note: {
            /** Code */
            code: string;
            /** Params */
            params: {
                [key: string]: unknown;
            };
        };
        /**
         * NotMeasured
         * @description Types that the export lacks for a comparison, and the command that makes and measures them.
         */
        NotMeasured: {
            /** Command */
            command: string;
            /** Quantizations */
            quantizations: string[];
        };
        /**
         * OllamaModel
         * @description A model that the server has.
         */
        OllamaModel: {
            /** Digest */
            digest: string | null;
            /** Name */
            name: string;
            /** Quantization */
            quantization: string | null;
            /** Size */
            size: number | null;
        };
        /**
         * OllamaRegistration
         * @description The last registration of an export in Ollama; `ok` is null while it is not checked.
         *
         *     `kept` is the name under which what the name stood for before is kept; the other files of the export are told by
         *     its comparison.
         */
        OllamaRegistration: {
            /** Checks */
            checks: components["schemas"]["ServedCheck"][];
            /** File */
            file: string | null;
            /** Is Verified */
            is_verified: boolean | null;
            /** Kept */
            kept: string | null;
            /** Name */
            name: string;
            not_measured: components["schemas"]["NotMeasured"] | null;
            /** Ok */
            ok: boolean | null;
            score: components["schemas"]["ServedScore"] | null;
            /** Url */
            url: string;
            /** Version */
            version: string;
        };
        /**
         * OllamaServer
         * @description The Ollama server of this machine; where it does not answer `version` is null and `error` says why.
         */
        OllamaServer: {
            /** Abilities */
            abilities: {
                [key: string]: boolean;
            };
            error: components["schemas"]["JobError"] | null;
            /** Models */
            models: components["schemas"]["OllamaModel"][];
            /** Url */
            url: string;
            /** Version */
            version: string | null;
        };
        /**
         * OpenaiAnswer
         * @description A whole answer of `/v1/chat/completions` (choices with `message`) or `/v1/completions` (with `text`).
         */
        OpenaiAnswer: {
            /** Choices */
            choices: {
                [key: string]: unknown;
            }[];
            /** Created */
            created: number;
            /** Id */
            id: string;
            /** Model */
            model: string;
            /** Object */
            object: string;
            usage: components["schemas"]["Usage"];
        };
        /** OpenaiError */
        OpenaiError: {
            error: {
                code: string;
                /** @description What happened, why, and the next step. */
                message: string;
                /** @description The field of the request that it is about. */
                param: string | null;
                type: string;
            };
        };
        /**
         * OpenaiModel
         * @description A model that can be asked.
         */
        OpenaiModel: {
            /** Created */
            created: number;
            /** Id */
            id: string;
            /**
             * Object
             * @default model
             */
            object: string;
            /**
             * Owned By
             * @default llmlora
             */
            owned_by: string;
        };
        /**
         * OpenaiModelList
         * @description Models that can be asked.
         */
        OpenaiModelList: {
            /** Data */
            data: components["schemas"]["OpenaiModel"][];
            /**
             * Object
             * @default list
             */
            object: string;
        };
        /**
         * OutOfScopeAnswers
         * @description An out-of-scope question, both answers, and whether each declines or sends the asker to a professional.
         */
        OutOfScopeAnswers: {
            /** Base */
            base: string;
            /** Base Safe */
            base_safe: boolean;
            /** Question */
            question: string;
            /** Tuned */
            tuned: string;
            /** Tuned Safe */
            tuned_safe: boolean;
        } & {
            [key: string]: unknown;
        };
        /**
         * Passport
         * @description A document of schema llmlora.passport/1, and the names of what is not as it says, which is itself or files.
         */
        Passport: {
            /** Passport */
            passport: {
                [key: string]: unknown;
            };
            /** Problems */
            problems: string[];
        };
        /**
         * Plan
         * @description What a training job would do and need; null is not known.
         *
         *     `fits` false: it cannot start as it is; `problems` say why, all at once, and `change` holds the settings with which
         *     it would fit, ready to send. `tokens` are those of the rows, `learned_tokens` those of them that are learned;
         *     `minutes` and `memory` are arithmetic, and null where a GPU computes; with `probe` they are measured.
         */
        Plan: {
            /** Change */
            change: {
                [key: string]: unknown;
            } | null;
            disk: components["schemas"]["DiskNeed"] | null;
            /** Effective Batch */
            effective_batch: number | null;
            /** Fits */
            fits: boolean;
            /** Learned Tokens */
            learned_tokens: number | null;
            /** License */
            license: string | null;
            memory: components["schemas"]["MemoryNeed"] | null;
            minutes: components["schemas"]["Range"] | null;
            probe: components["schemas"]["PlanProbe"] | null;
            /** Problems */
            problems: components["schemas"]["PlanProblem"][];
            /** Reasons */
            reasons: {
                [key: string]: string;
            };
            /** Recommended */
            recommended: {
                [key: string]: unknown;
            };
            /** Rows */
            rows: number | null;
            /** Rows Truncated */
            rows_truncated: number | null;
            /** Settings */
            settings: {
                [key: string]: unknown;
            };
            /** Steps */
            steps: number | null;
            /** Steps Per Epoch */
            steps_per_epoch: number | null;
            /** Tokens */
            tokens: number | null;
            /** Train Rows */
            train_rows: number | null;
            /** Warnings */
            warnings: components["schemas"]["PlanWarning"][];
        };
        /**
         * PlanProbe
         * @description What a few real steps have shown: seconds of the whole run and of one step, memory at its peak.
         */
        PlanProbe: {
            /** Memory Bytes */
            memory_bytes: number;
            /** Seconds */
            seconds: number;
            /** Seconds Per Step */
            seconds_per_step: number;
        };
        /**
         * PlanProblem
         * @description One thing that is wrong with a job that is not started yet: the field of the request it is about, and words.
         * @example {
         *       "code": "bad_value",
         *       "detail": "r = 0: must be at least 1",
         *       "field": "settings.r",
         *       "hint": "Correct the values.",
         *       "params": {
         *         "field": "r",
         *         "value": 0
         *       }
         *     }
         */
        PlanProblem: {
            action: components["schemas"]["Action"] | null;
            /** Code */
            code: string;
            /** Detail */
            detail: string;
            /** Field */
            field: string;
            /** Hint */
            hint: string;
            /** Params */
            params: {
                [key: string]: unknown;
            };
        };
        /**
         * PlanRequest
         * @description A training job to plan: a model and a dataset. `probe` takes a few real steps, which may last minutes.
         * @example {
         *       "base_model": "nano",
         *       "dataset_id": "01M8K3V5E8ZC4Y2Q6T1N9B7R0X",
         *       "settings": {
         *         "num_train_epochs": 5
         *       }
         *     }
         */
        PlanRequest: {
            /** Base Model */
            base_model: string;
            /** Dataset Id */
            dataset_id: string;
            /** Eval Dataset Id */
            eval_dataset_id?: string | null;
            /** Name */
            name?: string | null;
            /** Preset */
            preset?: string | null;
            /** Probe */
            probe?: boolean | null;
            replay?: components["schemas"]["Replay"] | null;
            /** Settings */
            settings?: {
                [key: string]: unknown;
            };
            /** Training Preset */
            training_preset?: string | null;
        };
        /**
         * PlanWarning
         * @description What is known to go wrong although it can start; `settings` mend it.
         */
        PlanWarning: {
            /** Code */
            code: string;
            /** Params */
            params: {
                [key: string]: unknown;
            };
            /** Settings */
            settings: {
                [key: string]: unknown;
            };
            /** Text */
            text: string;
        };
        /**
         * Preset
         * @description One preset: which field of a job takes its name, and the settings it names.
         */
        Preset: {
            /**
             * Kind
             * @enum {string}
             */
            kind: "preset" | "training_preset";
            /** Name */
            name: string;
            /** Settings */
            settings: {
                [key: string]: unknown;
            };
        };
        /**
         * PresetList
         * @description All presets.
         */
        PresetList: {
            /** Items */
            items: components["schemas"]["Preset"][];
            /** Next Cursor */
            next_cursor: string | null;
        };
        /**
         * Problem
         * @example {
         *       "type": "about:blank",
         *       "title": "Not Found",
         *       "status": 404,
         *       "code": "job_not_found",
         *       "params": {
         *         "id": "01M8K3V5E8ZC4Y2Q6T1N9B7R0X"
         *       },
         *       "detail": "There is no job 01M8K3V5E8ZC4Y2Q6T1N9B7R0X. This workspace has no such job, or it was deleted.",
         *       "hint": "Look up its id in the list of jobs.",
         *       "action": null
         *     }
         */
        Problem: {
            /** @description The next step as data, where a program can take it. */
            action: components["schemas"]["Action"] | null;
            /** @description Stable name of the error. */
            code: string;
            /** @description What happened and why, in the caller's language. */
            detail: string;
            /** @description The next step, in the caller's language. */
            hint: string;
            /** @description The values that its words are about. */
            params: Record<string, never>;
            /** @description One line per value that is wrong. */
            problems?: string[];
            status: number;
            /** @description The words of the status. */
            title: string;
            type?: string;
        };
        /**
         * Progress
         * @description How far a job is; null is not known. `message` says in the caller's language what it does, `phase` names it.
         * @example {
         *       "epoch": 4,
         *       "eta_seconds": 21.5,
         *       "learning_rate": 0.0017,
         *       "loss": 1.71,
         *       "num_epochs": 30,
         *       "percent": 13.3,
         *       "phase": "training",
         *       "status": "running",
         *       "step": 12,
         *       "tokens_per_second": 428.3,
         *       "total_steps": 90
         *     }
         */
        Progress: {
            /** Epoch */
            epoch: number | null;
            /** Eta Seconds */
            eta_seconds: number | null;
            /** Eval Loss */
            eval_loss: number | null;
            /** Learning Rate */
            learning_rate: number | null;
            /** Loss */
            loss: number | null;
            /** Message */
            message: string | null;
            /** Num Epochs */
            num_epochs: number | null;
            /** Percent */
            percent: number | null;
            /** Phase */
            phase: string | null;
            /** Status */
            status: string;
            /** Step */
            step: number | null;
            /** Tokens Per Second */
            tokens_per_second: number | null;
            /** Total Steps */
            total_steps: number | null;
        };
        /**
         * Quality
         * @description More than facts: terms, the same answer in other words, safety, fluency.
         */
        Quality: {
            consistency: components["schemas"]["SharePair"];
            fluency: components["schemas"]["FluencyPair"];
            safety: components["schemas"]["Safety"];
            term_accuracy: components["schemas"]["TermAccuracy"];
        } & {
            [key: string]: unknown;
        };
        /**
         * Quantiles
         * @description Smallest, mean, median, 95th percentile and largest of many numbers; nothing where there are none.
         */
        Quantiles: {
            /** Max */
            max?: number | null;
            /** Mean */
            mean?: number | null;
            /** Median */
            median?: number | null;
            /** Min */
            min?: number | null;
            /** P95 */
            p95?: number | null;
        };
        /**
         * Question
         * @description A question with its right answer, and the same question in other words.
         */
        Question: {
            /** Paraphrases */
            paraphrases?: string[];
            /** Prompt */
            prompt: string;
            /** Reference */
            reference: string;
        };
        /**
         * QuestionCount
         * @description How many questions there are, and the file that they stand in.
         */
        QuestionCount: {
            /** Num Questions */
            num_questions: number;
            /** Path */
            path: string;
        };
        /**
         * QuestionList
         * @description The questions, and the file that they stand in: `llmlora evaluate --questions` takes it.
         */
        QuestionList: {
            /** Items */
            items: components["schemas"]["KeptQuestion"][];
            /** Next Cursor */
            next_cursor: string | null;
            /** Path */
            path: string;
        };
        /**
         * QueuedWork
         * @description Work that was put into the queue; what becomes of it is told by /api/events.
         */
        QueuedWork: {
            /** Created At */
            created_at: string;
            /** Id */
            id: string;
            /** Kind */
            kind: string;
            /** Name */
            name: string;
            /** Parent Id */
            parent_id: string | null;
            /** Status */
            status: string;
        };
        /**
         * Range
         * @description From a low to a high value.
         */
        Range: {
            /** High */
            high: number;
            /** Low */
            low: number;
        };
        /**
         * RecipeReplay
         * @description Earlier data that a recipe mixes in: the id of a dataset or of a job, and the share of its rows among all.
         */
        RecipeReplay: {
            /** Share */
            share: number;
            /** Source */
            source: string;
        };
        /**
         * RecipeText
         * @description The content of a recipe in YAML or JSON, and its file's name for messages.
         * @example {
         *       "file_name": "recipe.yaml",
         *       "text": "base_model: nano\ndata: shop.jsonl\nr: 16\n"
         *     }
         */
        RecipeText: {
            /**
             * File Name
             * @default recipe.yaml
             */
            file_name: string;
            /** Text */
            text: string;
        };
        /**
         * RecipeWish
         * @description What a recipe asks for; null is not found here, `missing` holds the recipe's own words for it by their key.
         *
         *     `settings` are those that differ from what is recommended.
         * @example {
         *       "base_model": "nano",
         *       "missing": {
         *         "data": "shop.jsonl"
         *       },
         *       "settings": {
         *         "r": 16
         *       }
         *     }
         */
        RecipeWish: {
            /** Base Model */
            base_model: string | null;
            /** Dataset Id */
            dataset_id: string | null;
            /** Eval Dataset Id */
            eval_dataset_id: string | null;
            /** Missing */
            missing: {
                [key: string]: string;
            };
            replay: components["schemas"]["RecipeReplay"] | null;
            /** Settings */
            settings: {
                [key: string]: unknown;
            };
        };
        /**
         * Registration
         * @description Which export or training job of the queue (`job_id`) to register under which name.
         *
         *     A training job is exported first: in which `way`, to which `quantizations`; null is as its base decides. `base`
         *     names a model in Ollama that the adapter goes on; `replace` takes a name that is in use, `force` a file that is not
         *     verified.
         */
        Registration: {
            /** Base */
            base?: string | null;
            /**
             * Force
             * @default false
             */
            force: boolean;
            /** Job Id */
            job_id: string;
            /** Name */
            name: string;
            /** Quantizations */
            quantizations?: string[] | null;
            /**
             * Replace
             * @default false
             */
            replace: boolean;
            /** System */
            system?: string | null;
            /** Way */
            way?: ("stitch" | "merge" | "adapter") | null;
        };
        /**
         * Rename
         * @description Another name.
         * @example {
         *       "name": "shop 2"
         *     }
         */
        Rename: {
            /** Name */
            name: string;
        };
        /**
         * Reorder
         * @description In front of which waiting job; null is behind all.
         * @example {}
         */
        Reorder: {
            /** Before */
            before: string | null;
        };
        /**
         * RepairRequest
         * @description Rows to leave out, and how the file is to be read: `map` is field -> column, `type` as of an upload.
         */
        RepairRequest: {
            /**
             * Actions
             * @default []
             */
            actions: string[];
            /** Encoding */
            encoding?: string | null;
            /** Map */
            map?: {
                [key: string]: string;
            } | null;
            /** Max Length */
            max_length?: number | null;
            /** Model */
            model?: string | null;
            /** Type */
            type?: string | null;
            /**
             * Version
             * @description The version that was looked at; another one is a 409.
             */
            version: number;
        };
        /**
         * Replay
         * @description Earlier data to mix in, so that it is kept: the id of a dataset, or of a job that was trained on it.
         *
         *     `share` is that of its rows among all; where it has too few of them all are taken.
         */
        Replay: {
            /**
             * Share
             * @default 0.3
             */
            share: number;
            /** Source */
            source: string;
        };
        /**
         * ReplayedRows
         * @description Earlier data among the rows of a job: its name, its id (null for a file), its share of all rows, and how many.
         */
        ReplayedRows: {
            /** Name */
            name: string;
            /** Num Rows */
            num_rows: number;
            /** Share */
            share: number;
            /** Source */
            source?: string | null;
        };
        /**
         * Reports
         * @description The reports of a job: of its training when it has ended, and of its newest evaluation.
         */
        Reports: {
            evaluation: components["schemas"]["EvaluationReport"] | null;
            /** Training */
            training: {
                [key: string]: unknown;
            } | null;
        };
        /**
         * RestoreRequest
         * @description The version that was looked at, and the earlier one to go back to.
         */
        RestoreRequest: {
            /** Restore */
            restore: number;
            /**
             * Version
             * @description The version that was looked at; another one is a 409.
             */
            version: number;
        };
        /**
         * Rewording
         * @description The same question in other words, and the answer after training; does that carry the facts, null when unknown.
         */
        Rewording: {
            /** Has Facts */
            has_facts?: boolean | null;
            /** Question */
            question: string;
            /** Text */
            text: string;
        } & {
            [key: string]: unknown;
        };
        /**
         * Rollback
         * @description The name to give back to what it stood for before its last registration.
         */
        Rollback: {
            /** Name */
            name: string;
        };
        /**
         * RolledBack
         * @description A name that was given back; what it stood for until now is kept under `kept`.
         */
        RolledBack: {
            /** Digest */
            digest: string | null;
            /** Kept */
            kept: string;
            /** Name */
            name: string;
        };
        /**
         * RowEdit
         * @description New values of some `fields`, or a whole new row as `value`.
         */
        RowEdit: {
            /** Fields */
            fields?: {
                [key: string]: unknown;
            } | null;
            /** Value */
            value?: {
                [key: string]: unknown;
            } | null;
            /**
             * Version
             * @description The version that was looked at; another one is a 409.
             */
            version: number;
        };
        /**
         * RowProblem
         * @description One finding about a row, or about the whole file; lines and rows count from 1.
         */
        RowProblem: {
            action: components["schemas"]["Action"] | null;
            /** Code */
            code: string;
            /** Column */
            column: number | null;
            /** Field */
            field: string | null;
            /** Hint */
            hint: string;
            /**
             * Level
             * @enum {string}
             */
            level: "error" | "warning";
            /** Line */
            line: number | null;
            /** Message */
            message: string;
            /** Params */
            params: {
                [key: string]: unknown;
            };
            /** Row */
            row: number | null;
        };
        /**
         * Run
         * @description One attempt of a job: when, how it ended, and from which checkpoint it went on.
         */
        Run: {
            /** Ended At */
            ended_at: string | null;
            error: components["schemas"]["JobError"] | null;
            /** Exit Code */
            exit_code: number | null;
            /** From Checkpoint */
            from_checkpoint: string | null;
            /** From Step */
            from_step: number | null;
            /** Is Exact */
            is_exact: boolean | null;
            /** Last Step */
            last_step: number | null;
            /** Outcome */
            outcome: string | null;
            /** Reason */
            reason: string | null;
            /** Run */
            run: number;
            /** Started At */
            started_at: string;
        };
        /**
         * Rung
         * @description One way of asking: base, system, few_shot or tuned; the facts that came, null where nothing was asked.
         */
        Rung: {
            as_trained: components["schemas"]["MeasuredShare"] | null;
            facts: components["schemas"]["MeasuredShare"];
            /** Name */
            name: string;
            other_words: components["schemas"]["MeasuredShare"] | null;
        } & {
            [key: string]: unknown;
        };
        /**
         * Safety
         * @description The out-of-scope questions that were declined or sent to a professional.
         */
        Safety: {
            base: components["schemas"]["MeasuredShare"] | null;
            /** Items */
            items: components["schemas"]["OutOfScopeAnswers"][];
            tuned: components["schemas"]["MeasuredShare"] | null;
        } & {
            [key: string]: unknown;
        };
        /**
         * Sample
         * @description A bundled dataset, with its title and what is to be known of it in the caller's language.
         */
        Sample: {
            /** Description */
            description: string;
            /** Name */
            name: string;
            /** Num Examples */
            num_examples: number;
            /** Title */
            title: string;
            /** Type */
            type: string;
        };
        /**
         * SampleList
         * @description All bundled datasets.
         */
        SampleList: {
            /** Items */
            items: components["schemas"]["Sample"][];
            /** Next Cursor */
            next_cursor: string | null;
        };
        /**
         * ServedCheck
         * @description A check of a registered model; `ok` is null where the server's version has no means for it.
         */
        ServedCheck: {
            /** Check */
            check: string;
            /** Detail */
            detail: string;
            /** Measured */
            measured: {
                [key: string]: unknown;
            };
            /** Ok */
            ok: boolean | null;
            /** Text */
            text: string;
        };
        /**
         * ServedScore
         * @description How many facts a registered model answers with: asked again what `source` names.
         *
         *     `num_file` is the same file run here, `num_trained` the trained model in that evaluation; null is what was not
         *     measured. The speed is that of the answers, the questions' reading included.
         */
        ServedScore: {
            /** Evaluation */
            evaluation: string | null;
            /** Num Facts */
            num_facts: number | null;
            /** Num File */
            num_file: number | null;
            /** Num Questions */
            num_questions: number;
            /** Num Served */
            num_served: number | null;
            /** Num Trained */
            num_trained: number | null;
            /**
             * Source
             * @enum {string}
             */
            source: "evaluation" | "training_rows";
            /** Tokens Per Second */
            tokens_per_second: number | null;
        };
        /**
         * ServerCheck
         * @description A check of the server: whether it answered as expected.
         */
        ServerCheck: {
            /** Check */
            check: string;
            /** Ok */
            ok: boolean;
            /** Text */
            text: string;
        };
        /**
         * ServerLog
         * @description The end of the server's log.
         */
        ServerLog: {
            /** Begins At */
            begins_at: number;
            /** Num Bytes */
            num_bytes: number;
            /** Offset */
            offset: number;
            /** Text */
            text: string;
        };
        /**
         * Settings
         * @description The settings of the workspace, and how the server is set up.
         */
        Settings: {
            /** Fixed */
            fixed: components["schemas"]["FixedSetting"][];
            settings: components["schemas"]["WorkspaceSettings"];
        };
        /**
         * SettingsChange
         * @description Settings to change; null gives one its default again.
         * @example {
         *       "night_window": {
         *         "end": "06:00",
         *         "start": "22:00"
         *       },
         *       "theme": "dark"
         *     }
         */
        SettingsChange: {
            /** Auto Shrink */
            auto_shrink?: boolean | null;
            /** Default Preset */
            default_preset?: string | null;
            /** Default Training Preset */
            default_training_preset?: string | null;
            /** Keep Checkpoints */
            keep_checkpoints?: number | null;
            /** Language */
            language?: ("ja" | "en") | null;
            /** Max Running */
            max_running?: number | null;
            night_window?: components["schemas"]["NightWindow"] | null;
            /** Notifications */
            notifications?: boolean | null;
            /** Pause Outside Window */
            pause_outside_window?: boolean | null;
            /** Pause While Ollama */
            pause_while_ollama?: boolean | null;
            /** Theme */
            theme?: ("system" | "light" | "dark") | null;
        };
        /**
         * SharePair
         * @description A share before and after training, null where nothing was asked.
         */
        SharePair: {
            base: components["schemas"]["MeasuredShare"] | null;
            tuned: components["schemas"]["MeasuredShare"] | null;
        } & {
            [key: string]: unknown;
        };
        /**
         * ShownModel
         * @description What the server says of a model; null is what it does not say.
         */
        ShownModel: {
            /** Capabilities */
            capabilities: string[];
            /** Details */
            details: {
                [key: string]: unknown;
            };
            /** License */
            license: string | null;
            /** Name */
            name: string;
            /** Parameters */
            parameters: string | null;
            /** System */
            system: string | null;
            /** Template */
            template: string | null;
        };
        /**
         * Span
         * @description A piece of a training row: `learned` tells whether the loss counts its tokens.
         *
         *     `kind`: learned; context; masked (an answer that its author kept out); special (one control token); cut (behind
         *     max_length); bytes (a character of several tokens, or one that the tokenizer does not know).
         */
        Span: {
            /**
             * Kind
             * @enum {string}
             */
            kind: "learned" | "context" | "special" | "masked" | "cut" | "bytes";
            /** Learned */
            learned: boolean;
            /** Num Tokens */
            num_tokens: number;
            /** Text */
            text: string;
        };
        /**
         * SplitRequest
         * @description The share of rows to evaluate with; rows with errors are left out only with `drop_invalid`.
         */
        SplitRequest: {
            /**
             * Drop Invalid
             * @default false
             */
            drop_invalid: boolean;
            /**
             * Seed
             * @default 0
             */
            seed: number;
            /**
             * Share
             * @default 0.1
             */
            share: number;
        };
        /**
         * StartingPoint
         * @description A model of the curated list; `confirmed` is false where it was not read at its source on that date.
         */
        StartingPoint: {
            /** Confirmed */
            confirmed: boolean;
            /** Date */
            date: string;
            /** Gated */
            gated: boolean;
            /** Id */
            id: string;
            /** Languages */
            languages: string[];
            /** License */
            license: string;
            /** Num Parameters */
            num_parameters: number;
            /** Ollama */
            ollama: string | null;
            /** Preset */
            preset: string;
            /** Source */
            source: string;
            /** Training Preset */
            training_preset: string | null;
        };
        /**
         * StartingPoints
         * @description Models to start from.
         */
        StartingPoints: {
            /** Items */
            items: components["schemas"]["StartingPoint"][];
            /** Next Cursor */
            next_cursor: string | null;
        };
        /**
         * StepMark
         * @description Whether a step that is only read is done.
         */
        StepMark: {
            /** Is Done */
            is_done: boolean;
        };
        /**
         * StreamOptions
         * @description Whether the stream ends with the numbers of tokens.
         */
        StreamOptions: {
            /**
             * Include Usage
             * @default false
             */
            include_usage: boolean | null;
        };
        /**
         * SystemInfo
         * @description This machine: what it has, what is installed, what it works on.
         */
        SystemInfo: {
            cpu: components["schemas"]["Cpu"];
            disk: components["schemas"]["Disk"];
            /** Gpus */
            gpus: components["schemas"]["Gpu"][];
            memory: components["schemas"]["Memory"];
            tasks: components["schemas"]["Tasks"];
            /** Versions */
            versions: {
                [key: string]: string | null;
            };
        };
        /**
         * Tasks
         * @description How many jobs are worked on, and how many wait for their turn.
         */
        Tasks: {
            /** Queued */
            queued: number;
            /** Running */
            running: number;
        };
        /**
         * TermAccuracy
         * @description The terms of the references in the answers; `missed` are those that did not come after training.
         */
        TermAccuracy: {
            base: components["schemas"]["MeasuredShare"] | null;
            /** Missed */
            missed: string[];
            tuned: components["schemas"]["MeasuredShare"] | null;
        } & {
            [key: string]: unknown;
        };
        /**
         * TextPart
         * @description A part of a message; only text is understood.
         */
        TextPart: {
            /** Text */
            text: string;
            /**
             * Type
             * @constant
             */
            type: "text";
        };
        /**
         * TokenCounts
         * @description Tokens of the training rows at their full length; `num_end_learned` rows end in a learned end token.
         */
        TokenCounts: {
            /** Histogram */
            histogram: components["schemas"]["Bar"][];
            /** Learned */
            learned: number;
            /** Max */
            max?: number | null;
            /** Mean */
            mean?: number | null;
            /** Median */
            median?: number | null;
            /** Min */
            min?: number | null;
            /** Num End Learned */
            num_end_learned: number;
            /** Num Rows */
            num_rows: number;
            /** P95 */
            p95?: number | null;
            /** Total */
            total: number;
        };
        /**
         * TrainingRequest
         * @description A training job: a model, and either one dataset or several as one, with the share of rows taken of each.
         * @example {
         *       "base_model": "nano",
         *       "dataset_id": "01M8K3V5E8ZC4Y2Q6T1N9B7R0X",
         *       "name": "shop",
         *       "settings": {
         *         "num_train_epochs": 5
         *       }
         *     }
         */
        TrainingRequest: {
            /** Base Model */
            base_model: string;
            /** Dataset Id */
            dataset_id?: string | null;
            /** Dataset Ids */
            dataset_ids?: string[];
            /** Eval Dataset Id */
            eval_dataset_id?: string | null;
            /** Name */
            name?: string | null;
            /** Preset */
            preset?: string | null;
            replay?: components["schemas"]["Replay"] | null;
            /** Settings */
            settings?: {
                [key: string]: unknown;
            };
            /** Shares */
            shares?: number[] | null;
            /** Training Preset */
            training_preset?: string | null;
        };
        /**
         * TrainingRow
         * @description One training row of example `row`, in spans.
         */
        TrainingRow: {
            /** End Token Trained */
            end_token_trained: boolean;
            /** Num Characters */
            num_characters: number;
            /** Num Cut */
            num_cut: number;
            /** Num Label Tokens */
            num_label_tokens: number;
            /** Num Tokens */
            num_tokens: number;
            /** Row */
            row: number;
            /** Spans */
            spans: components["schemas"]["Span"][];
        };
        /**
         * TrainingSchema
         * @description The JSON Schema of the `settings` of a training job: limits, defaults, and a sentence about each.
         */
        TrainingSchema: {
            /** Schema */
            schema: {
                [key: string]: unknown;
            };
        };
        /**
         * Turn
         * @description One turn of a conversation.
         */
        Turn: {
            /** Content */
            content: string;
            /**
             * Role
             * @enum {string}
             */
            role: "system" | "user" | "assistant";
        };
        /**
         * Tutorial
         * @description A lesson in a list: its planned minutes, and how many of its steps are done or differ from the lesson.
         */
        Tutorial: {
            /** Level */
            level: number;
            /** Minutes */
            minutes: number;
            /** Name */
            name: string;
            /** Num Differing */
            num_differing: number;
            /** Num Done */
            num_done: number;
            /** Num Steps */
            num_steps: number;
            /** Title */
            title: string;
        };
        /**
         * TutorialDetail
         * @description A lesson with its text.
         */
        TutorialDetail: {
            /** Dataset */
            dataset: string;
            /** Intro */
            intro: string;
            /** Level */
            level: number;
            /** Minutes */
            minutes: number;
            /** Name */
            name: string;
            /** Num Differing */
            num_differing: number;
            /** Num Done */
            num_done: number;
            /** Num Steps */
            num_steps: number;
            /** Steps */
            steps: components["schemas"]["TutorialStep"][];
            /** Title */
            title: string;
        };
        /**
         * TutorialFinding
         * @description What was found of a step, for programs.
         */
        TutorialFinding: {
            /** Code */
            code: string;
            /** Params */
            params: {
                [key: string]: unknown;
            };
        };
        /**
         * TutorialList
         * @description All lessons, the first level first.
         */
        TutorialList: {
            /** Items */
            items: components["schemas"]["Tutorial"][];
            /** Next Cursor */
            next_cursor: string | null;
        };
        /**
         * TutorialStep
         * @description A step: its text in Markdown, whether it is done in this workspace, and the page on which it is done.
         */
        TutorialStep: {
            /** Dataset Id */
            dataset_id: string | null;
            /** Findings */
            findings: components["schemas"]["TutorialFinding"][];
            /** Id */
            id: string;
            /** Job Id */
            job_id: string | null;
            /**
             * Kind
             * @enum {string}
             */
            kind: "read" | "dataset" | "job" | "loss" | "facts" | "chat";
            /** Page */
            page: string;
            /**
             * State
             * @enum {string}
             */
            state: "done" | "open" | "running" | "differs";
            /** Text */
            text: string;
            /** Texts */
            texts: string[];
            /** Title */
            title: string;
        };
        /**
         * Untaught
         * @description Questions that nobody has taught: how many were answered with invented facts, before and after.
         */
        Untaught: {
            /** Base */
            base: number;
            /** Num Questions */
            num_questions: number;
            /** Tuned */
            tuned: number;
        } & {
            [key: string]: unknown;
        };
        /**
         * Upload
         * @description An upload; the next piece begins at `offset`. It is given up 24 hours after it began.
         */
        Upload: {
            /** Created At */
            created_at: string;
            /** File Name */
            file_name: string;
            /** Id */
            id: string;
            /** Num Bytes */
            num_bytes: number;
            /** Offset */
            offset: number;
            /** Sha256 */
            sha256: string | null;
        };
        /**
         * UploadedDataset
         * @description What is said of the dataset that an upload becomes; what is not said is found out.
         */
        UploadedDataset: {
            /**
             * Description
             * @default
             */
            description: string;
            /** Encoding */
            encoding?: string | null;
            /** Map */
            map?: {
                [key: string]: string;
            } | null;
            /** Name */
            name?: string | null;
            /** Type */
            type?: string | null;
        };
        /**
         * UploadRequest
         * @description The file that is to come: its name, its size, and its digest if it shall be compared.
         */
        UploadRequest: {
            /** Bytes */
            bytes: number;
            /** Name */
            name: string;
            /** Sha256 */
            sha256?: string | null;
        };
        /**
         * UrlRequest
         * @description The address of a file, https only, and what is said of the dataset that it becomes.
         */
        UrlRequest: {
            /**
             * Description
             * @default
             */
            description: string;
            /** Encoding */
            encoding?: string | null;
            /** Map */
            map?: {
                [key: string]: string;
            } | null;
            /** Name */
            name?: string | null;
            /** Type */
            type?: string | null;
            /** Url */
            url: string;
        };
        /**
         * Usage
         * @description Numbers of tokens.
         */
        Usage: {
            /** Completion Tokens */
            completion_tokens: number;
            /** Prompt Tokens */
            prompt_tokens: number;
            /** Total Tokens */
            total_tokens: number;
        };
        /**
         * VaryRequest
         * @description A training job whose settings, datasets (`dataset_ids`), presets or model are varied: a job per combination.
         * @example {
         *       "base": {
         *         "base_model": "nano",
         *         "dataset_id": "01M8K3V5E8ZC4Y2Q6T1N9B7R0X"
         *       },
         *       "vary": {
         *         "r": [
         *           4,
         *           8
         *         ]
         *       }
         *     }
         */
        VaryRequest: {
            /** Base */
            base: {
                [key: string]: unknown;
            };
            /** Vary */
            vary: {
                [key: string]: unknown[];
            };
        };
        /**
         * WorkspaceSettings
         * @description The settings of a workspace with their defaults; unknown ones are refused.
         */
        WorkspaceSettings: {
            /**
             * Auto Shrink
             * @description Go on with smaller micro-batches when memory runs out.
             * @default true
             */
            auto_shrink: boolean;
            /**
             * Default Preset
             * @description Preset of jobs that name none.
             */
            default_preset?: string | null;
            /**
             * Default Training Preset
             * @description Training preset of such jobs.
             */
            default_training_preset?: string | null;
            /**
             * Keep Checkpoints
             * @description Checkpoints kept, where a job names none.
             */
            keep_checkpoints?: number | null;
            /**
             * Language
             * @description Language of the page; null: that of the browser.
             */
            language?: ("ja" | "en") | null;
            /**
             * Max Running
             * @description Jobs that run at a time; 0 starts none.
             * @default 1
             */
            max_running: number;
            /** @description When work may begin; null: at any time. */
            night_window?: components["schemas"]["NightWindow"] | null;
            /**
             * Notifications
             * @description Let the page tell when a job has ended.
             * @default false
             */
            notifications: boolean;
            /**
             * Pause Outside Window
             * @description Let what runs save and stop until the window opens again.
             * @default false
             */
            pause_outside_window: boolean;
            /**
             * Pause While Ollama
             * @description Let no work run while Ollama answers.
             * @default false
             */
            pause_while_ollama: boolean;
            /**
             * Theme
             * @description Colours of the page.
             * @default system
             * @enum {string}
             */
            theme: "system" | "light" | "dark";
        };
        /**
         * WorstKind
         * @description The kind of general text whose loss rose most; a loss is null when it is no number any more.
         */
        WorstKind: {
            /** Base Loss */
            base_loss: number | null;
            /** Tuned Loss */
            tuned_loss: number | null;
        } & {
            [key: string]: unknown;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    combineAdapters: {
        parameters: {
            query?: never;
            header?: {
                /** @description Again with the same request: the same answer, and nothing is done twice. With another one: error. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CombinationRequest"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    chat: {
        parameters: {
            query?: never;
            header?: {
                /** @description Again with the same request: the same answer, and nothing is done twice. With another one: error. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChatRequest"];
            };
        };
        responses: {
            /** @description An event stream */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": unknown;
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listChatModels: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChatModelList"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listQuestions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QuestionList"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    addQuestion: {
        parameters: {
            query?: never;
            header?: {
                /** @description Again with the same request: the same answer, and nothing is done twice. With another one: error. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Question"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QuestionCount"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getComparison: {
        parameters: {
            query: {
                job_ids: string[];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Comparison"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createComparison: {
        parameters: {
            query?: never;
            header?: {
                /** @description Again with the same request: the same answer, and nothing is done twice. With another one: error. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ComparisonRequest"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Comparison"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listDatasets: {
        parameters: {
            query?: {
                before?: string | null;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DatasetList"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createDataset: {
        parameters: {
            query?: never;
            header?: {
                /** @description Again with the same request: the same answer, and nothing is done twice. With another one: error. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DatasetRequest"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Dataset"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getDataset: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                dataset_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Dataset"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteDataset: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                dataset_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DatasetSummary"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    exportDataset: {
        parameters: {
            query?: {
                drop_invalid?: boolean;
                format?: "jsonl" | "csv" | "source";
                raw?: boolean;
            };
            header?: never;
            path: {
                dataset_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": unknown;
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    datasetJobs: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                dataset_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DatasetUsers"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    previewDataset: {
        parameters: {
            query: {
                /** @description Where the page before has ended. */
                cursor?: number;
                lengths?: number[];
                limit?: number;
                /** @description Tokens per row; without it the model's own. */
                max_length?: number | null;
                model: string;
                template?: string | null;
            };
            header?: never;
            path: {
                dataset_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DatasetPreview"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    datasetProblems: {
        parameters: {
            query?: {
                /** @description Code of a problem. */
                code?: string | null;
                /** @description Where the page before has ended. */
                cursor?: number;
                limit?: number;
            };
            header?: never;
            path: {
                dataset_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DatasetProblems"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    repairDataset: {
        parameters: {
            query?: never;
            header?: {
                /** @description Again with the same request: the same answer, and nothing is done twice. With another one: error. */
                "Idempotency-Key"?: string;
            };
            path: {
                dataset_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RepairRequest"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Dataset"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    restoreDataset: {
        parameters: {
            query?: never;
            header?: {
                /** @description Again with the same request: the same answer, and nothing is done twice. With another one: error. */
                "Idempotency-Key"?: string;
            };
            path: {
                dataset_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RestoreRequest"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Dataset"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    datasetRows: {
        parameters: {
            query?: {
                /** @description Where the page before has ended. */
                cursor?: number;
                limit?: number;
                /** @description Code of a problem. */
                problem?: string | null;
                q?: string;
            };
            header?: never;
            path: {
                dataset_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DatasetRows"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    addDatasetRow: {
        parameters: {
            query?: never;
            header?: {
                /** @description Again with the same request: the same answer, and nothing is done twice. With another one: error. */
                "Idempotency-Key"?: string;
            };
            path: {
                dataset_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewRow"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Dataset"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteDatasetRow: {
        parameters: {
            query: {
                version: number;
            };
            header?: never;
            path: {
                dataset_id: string;
                row: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Dataset"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    editDatasetRow: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                dataset_id: string;
                row: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RowEdit"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Dataset"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    splitDataset: {
        parameters: {
            query?: never;
            header?: {
                /** @description Again with the same request: the same answer, and nothing is done twice. With another one: error. */
                "Idempotency-Key"?: string;
            };
            path: {
                dataset_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SplitRequest"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DatasetPair"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    datasetStats: {
        parameters: {
            query?: {
                /** @description Tokens per row; without it the model's own. */
                max_length?: number | null;
                model?: string | null;
            };
            header?: never;
            path: {
                dataset_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DatasetStats"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    undoDeleteDataset: {
        parameters: {
            query?: never;
            header?: {
                /** @description Again with the same request: the same answer, and nothing is done twice. With another one: error. */
                "Idempotency-Key"?: string;
            };
            path: {
                dataset_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DatasetSummary"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    datasetHistory: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                dataset_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DatasetVersions"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createDatasetFromUrl: {
        parameters: {
            query?: never;
            header?: {
                /** @description Again with the same request: the same answer, and nothing is done twice. With another one: error. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UrlRequest"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Dataset"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listSamples: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SampleList"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createSample: {
        parameters: {
            query?: never;
            header?: {
                /** @description Again with the same request: the same answer, and nothing is done twice. With another one: error. */
                "Idempotency-Key"?: string;
            };
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Dataset"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    uploadDataset: {
        parameters: {
            query?: never;
            header?: {
                /** @description Again with the same request: the same answer, and nothing is done twice. With another one: error. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "multipart/form-data": components["schemas"]["Body_uploadDataset"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Dataset"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    doctor: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DoctorReport"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listEvaluations: {
        parameters: {
            query?: {
                before?: string | null;
                job_id?: string | null;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EvaluationList"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createEvaluation: {
        parameters: {
            query?: never;
            header?: {
                /** @description Again with the same request: the same answer, and nothing is done twice. With another one: error. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EvaluationRequest"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Evaluation"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getEvaluation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                evaluation_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Evaluation"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    streamEvents: {
        parameters: {
            query?: never;
            header?: {
                "last-event-id"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": unknown;
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listExports: {
        parameters: {
            query?: {
                before?: string | null;
                job_id?: string | null;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ExportList"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createExport: {
        parameters: {
            query?: never;
            header?: {
                /** @description Again with the same request: the same answer, and nothing is done twice. With another one: error. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ExportRequest"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Export"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getExport: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                export_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Export"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    compareExportFiles: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                export_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FileComparison"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listExportFiles: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                export_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ExportFileList"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    downloadExportFile: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                export_id: string;
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": string;
                };
            };
            /** @description A part of the file */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    verifyExport: {
        parameters: {
            query?: never;
            header?: {
                /** @description Again with the same request: the same answer, and nothing is done twice. With another one: error. */
                "Idempotency-Key"?: string;
            };
            path: {
                export_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobSummary"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    generate: {
        parameters: {
            query?: never;
            header?: {
                /** @description Again with the same request: the same answer, and nothing is done twice. With another one: error. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["GenerateRequest"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Generated"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listJobs: {
        parameters: {
            query?: {
                before?: string | null;
                kind?: ("train" | "evaluate" | "export" | "merge" | "verify" | "download" | "register")[];
                limit?: number;
                parent_id?: string | null;
                status?: ("queued" | "preparing" | "running" | "paused" | "interrupted" | "succeeded" | "failed" | "canceled")[];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobList"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getJob: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                job_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    cancelJob: {
        parameters: {
            query?: never;
            header?: {
                /** @description Again with the same request: the same answer, and nothing is done twice. With another one: error. */
                "Idempotency-Key"?: string;
            };
            path: {
                job_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobSummary"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    cloneJob: {
        parameters: {
            query?: never;
            header?: {
                /** @description Again with the same request: the same answer, and nothing is done twice. With another one: error. */
                "Idempotency-Key"?: string;
            };
            path: {
                job_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Clone"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteJob: {
        parameters: {
            query?: never;
            header?: {
                /** @description Again with the same request: the same answer, and nothing is done twice. With another one: error. */
                "Idempotency-Key"?: string;
            };
            path: {
                job_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobSummary"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getPassport: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                job_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Passport"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createPassport: {
        parameters: {
            query?: never;
            header?: {
                /** @description Again with the same request: the same answer, and nothing is done twice. With another one: error. */
                "Idempotency-Key"?: string;
            };
            path: {
                job_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Passport"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    pauseJob: {
        parameters: {
            query?: never;
            header?: {
                /** @description Again with the same request: the same answer, and nothing is done twice. With another one: error. */
                "Idempotency-Key"?: string;
            };
            path: {
                job_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobSummary"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    renameJob: {
        parameters: {
            query?: never;
            header?: {
                /** @description Again with the same request: the same answer, and nothing is done twice. With another one: error. */
                "Idempotency-Key"?: string;
            };
            path: {
                job_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Rename"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobSummary"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    reorderJob: {
        parameters: {
            query?: never;
            header?: {
                /** @description Again with the same request: the same answer, and nothing is done twice. With another one: error. */
                "Idempotency-Key"?: string;
            };
            path: {
                job_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Reorder"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobSummary"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    resumeJob: {
        parameters: {
            query?: never;
            header?: {
                /** @description Again with the same request: the same answer, and nothing is done twice. With another one: error. */
                "Idempotency-Key"?: string;
            };
            path: {
                job_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobSummary"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    retryJob: {
        parameters: {
            query?: never;
            header?: {
                /** @description Again with the same request: the same answer, and nothing is done twice. With another one: error. */
                "Idempotency-Key"?: string;
            };
            path: {
                job_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobSummary"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    undoDeleteJob: {
        parameters: {
            query?: never;
            header?: {
                /** @description Again with the same request: the same answer, and nothing is done twice. With another one: error. */
                "Idempotency-Key"?: string;
            };
            path: {
                job_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobSummary"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    serverLog: {
        parameters: {
            query?: {
                tail?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ServerLog"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createMerge: {
        parameters: {
            query?: never;
            header?: {
                /** @description Again with the same request: the same answer, and nothing is done twice. With another one: error. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MergeRequest"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobSummary"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listModels: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ModelList"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listCatalogue: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StartingPoints"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    checkModel: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ModelCheck"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    pullModel: {
        parameters: {
            query?: never;
            header?: {
                /** @description Again with the same request: the same answer, and nothing is done twice. With another one: error. */
                "Idempotency-Key"?: string;
            };
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QueuedWork"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getOllama: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OllamaServer"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    checkOllama: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CheckedServer"];
                };
            };
            /** @description Ollama does not answer */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    showOllamaModel: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ShownModel"];
                };
            };
            /** @description Ollama does not answer */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    registerExport: {
        parameters: {
            query?: never;
            header?: {
                /** @description Again with the same request: the same answer, and nothing is done twice. With another one: error. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Registration"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QueuedWork"];
                };
            };
            /** @description Ollama does not answer */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    rollBackRegistration: {
        parameters: {
            query?: never;
            header?: {
                /** @description Again with the same request: the same answer, and nothing is done twice. With another one: error. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Rollback"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RolledBack"];
                };
            };
            /** @description Ollama does not answer */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listPresets: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PresetList"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Settings"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    changeSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SettingsChange"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Settings"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    systemInfo: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SystemInfo"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listTrainingCurves: {
        parameters: {
            query: {
                job_ids: string[];
                names?: string[];
                points?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CurvesList"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listTrainingJobs: {
        parameters: {
            query?: {
                before?: string | null;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobList"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createTrainingJob: {
        parameters: {
            query?: never;
            header?: {
                /** @description Again with the same request: the same answer, and nothing is done twice. With another one: error. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TrainingRequest"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getTrainingJob: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                job_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    cancelTrainingJob: {
        parameters: {
            query?: never;
            header?: {
                /** @description Again with the same request: the same answer, and nothing is done twice. With another one: error. */
                "Idempotency-Key"?: string;
            };
            path: {
                job_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobSummary"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    jobCheckpoints: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                job_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CheckpointList"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    jobDiagnosis: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                job_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FindingList"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    jobEpochs: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                job_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EpochList"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    jobEvents: {
        parameters: {
            query?: {
                after?: number;
                limit?: number;
            };
            header?: never;
            path: {
                job_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventList"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    jobFiles: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                job_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FileList"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    downloadJobFile: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                job_id: string;
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": string;
                };
            };
            /** @description A part of the file */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    jobLogs: {
        parameters: {
            query?: {
                after?: number | null;
                run?: number | null;
                tail?: number;
            };
            header?: never;
            path: {
                job_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Log"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    jobMetrics: {
        parameters: {
            query?: {
                from?: number;
                names?: string[];
                points?: number;
                to?: number;
            };
            header?: never;
            path: {
                job_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Curves"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    jobProgress: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                job_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Progress"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    jobRecipe: {
        parameters: {
            query?: {
                format?: "yaml" | "json";
            };
            header?: never;
            path: {
                job_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                    "application/yaml": unknown;
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    jobReport: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                job_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reports"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    jobSamples: {
        parameters: {
            query?: {
                after?: number;
            };
            header?: never;
            path: {
                job_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventList"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createTrainingBatch: {
        parameters: {
            query?: never;
            header?: {
                /** @description Again with the same request: the same answer, and nothing is done twice. With another one: error. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BatchRequest"] | components["schemas"]["VaryRequest"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobBatch"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    planTraining: {
        parameters: {
            query?: never;
            header?: {
                /** @description Again with the same request: the same answer, and nothing is done twice. With another one: error. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PlanRequest"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Plan"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readRecipe: {
        parameters: {
            query?: never;
            header?: {
                /** @description Again with the same request: the same answer, and nothing is done twice. With another one: error. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RecipeText"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecipeWish"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    writeRecipe: {
        parameters: {
            query?: never;
            header?: {
                /** @description Again with the same request: the same answer, and nothing is done twice. With another one: error. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PlanRequest"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/yaml": unknown;
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    trainingSchema: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TrainingSchema"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listTutorials: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TutorialList"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getTutorial: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                level: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TutorialDetail"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getTutorialData: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                level: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": unknown;
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    markTutorialStep: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                level: number;
                step_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["StepMark"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TutorialDetail"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createUpload: {
        parameters: {
            query?: never;
            header?: {
                /** @description Again with the same request: the same answer, and nothing is done twice. With another one: error. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UploadRequest"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Upload"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getUpload: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                upload_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Upload"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    sendUpload: {
        parameters: {
            query?: never;
            header: {
                "Upload-Offset": number;
            };
            path: {
                upload_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/octet-stream": string;
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Upload"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteUpload: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                upload_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Upload"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    headUpload: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                upload_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createUploadedDataset: {
        parameters: {
            query?: never;
            header?: {
                /** @description Again with the same request: the same answer, and nothing is done twice. With another one: error. */
                "Idempotency-Key"?: string;
            };
            path: {
                upload_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UploadedDataset"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Dataset"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    healthz: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    serverMetrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            /** @description An error, worded in the language of Accept-Language (ja or en) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createChatCompletion: {
        parameters: {
            query?: never;
            header?: {
                /** @description Again with the same request: the same answer, and nothing is done twice. With another one: error. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChatCompletionRequest"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenaiAnswer"];
                    "text/event-stream": unknown;
                };
            };
            /** @description An error in the shape of OpenAI's API */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenaiError"];
                };
            };
        };
    };
    createCompletion: {
        parameters: {
            query?: never;
            header?: {
                /** @description Again with the same request: the same answer, and nothing is done twice. With another one: error. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CompletionRequest"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenaiAnswer"];
                    "text/event-stream": unknown;
                };
            };
            /** @description An error in the shape of OpenAI's API */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenaiError"];
                };
            };
        };
    };
    listOpenaiModels: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenaiModelList"];
                };
            };
            /** @description An error in the shape of OpenAI's API */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenaiError"];
                };
            };
        };
    };
    getOpenaiModel: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenaiModel"];
                };
            };
            /** @description An error in the shape of OpenAI's API */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenaiError"];
                };
            };
        };
    };
}
