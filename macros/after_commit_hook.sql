{% macro after_commit_hook(name, job='job') -%}
    {#- Hand a hook to the plugin: the dataset, its relations, and the config they were built with.
        The plugin reads keys itself; nothing secret passes through here. -#}
    {%- if execute and not flags.EMPTY -%}
        {%- set dataset = this.identifier | replace('_sealed', '') -%}
        {%- set checked = dataset ~ '_checked' -%}
        {%- set checked_node = graph.nodes['model.' ~ project_name ~ '.' ~ checked] -%}
        {%- do adapter.store_relation('sealtune', this, [], '', '', {
            'hook': name,
            'dataset': dataset,
            'sealed': this | string,
            'checked': ref(checked) | string,
            'check': checked_node.config.meta.check,
            'job': config.get('meta')[job],
            'audit': config.get('meta').get('audit'),
            'subject': config.get('meta').get('subject'),
            'versions': version_sql(
                dataset,
                ref(dataset ~ '_examples'),
                api.Relation.create(this.database, this.schema, dataset ~ '_feedback')
                if 'model.' ~ project_name ~ '.' ~ dataset ~ '_feedback' in graph.nodes else none,
                api.Relation.create(this.database, this.schema, dataset ~ '_scrubbed'),
                api.Relation.create(this.database, this.schema, 'trained_lines') | string,
                api.Relation.create(this.database, this.schema, 'trained_words') | string,
                api.Relation.create(this.database, this.schema, 'trained_policies') | string
            ) if name == 'submit' else none,
        }) -%}
    {%- endif -%}
{%- endmacro %}
