// Generated from docs/reference/openapi.json by `npm run types`; do not edit.

export interface paths {
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
        post?: never;
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
         * @description Put the same work into the queue once more.
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
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
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
        /** Body_uploadDataset */
        Body_uploadDataset: {
            /**
             * Description
             * @default
             */
            description: string;
            /** File */
            file: string;
            /** Name */
            name?: string | null;
            /** Type */
            type?: string | null;
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
         * Clone
         * @description The name of the copy; null is the same name.
         */
        Clone: {
            /** Name */
            name?: string | null;
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
         * Dataset
         * @description A dataset with what its check has found: the first 20 problems of each code, and numbers.
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
            problems: {
                [key: string]: unknown;
            }[];
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
            items: components["schemas"]["Problem"][];
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
            problems: components["schemas"]["Problem"][];
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
         * @description A job with its settled settings, where each of them came from, and its result.
         */
        Job: {
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
            /** Name */
            name: string;
            /** Parent Id */
            parent_id: string | null;
            /** Position */
            position: number;
            /** Reason */
            reason: string | null;
            /** Reasons */
            reasons: {
                [key: string]: string;
            };
            /** Result */
            result: {
                [key: string]: unknown;
            } | null;
            /** Run */
            run: number;
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
         * JobError
         * @description Why a job failed: the code for programs, the rest in the caller's language.
         */
        JobError: {
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
            /** Name */
            name: string;
            /** Parent Id */
            parent_id: string | null;
            /** Position */
            position: number;
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
         * Model
         * @description A base model; `why_not` says in words why it cannot be trained here, `install` is the command that gets it.
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
        /** Problem */
        Problem: {
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
         * @description How far a job is; null is not known. `message` says what it does, in the caller's language.
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
         * Rename
         * @description Another name.
         */
        Rename: {
            /** Name */
            name: string;
        };
        /**
         * Reorder
         * @description In front of which waiting job; null is behind all.
         */
        Reorder: {
            /** Before */
            before: string | null;
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
         * @description A training job: model by name, datasets by id; settings are those of /api/presets and of the command line.
         */
        TrainingRequest: {
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
            /** Settings */
            settings?: {
                [key: string]: unknown;
            };
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
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
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
            header?: never;
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
    uploadDataset: {
        parameters: {
            query?: never;
            header?: never;
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
    cancelJob: {
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
            header?: never;
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
    pauseJob: {
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
            header?: never;
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
            header?: never;
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
            header?: never;
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
}
