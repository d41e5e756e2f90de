with source as (

    select * from {{ kept_records(source('raw', 'tickets'), ref('tickets_ingested')) }}

),

renamed as (

    select
        try_cast("Ticket ID" as bigint) as ticket_id,
        "Customer Name" as customer_name,
        "Customer Email" as customer_email,
        try_cast("Customer Age" as bigint) as customer_age,
        nullif("Customer Gender", '') as customer_gender,
        "Product Purchased" as product_purchased,
        try_cast("Date of Purchase" as date) as purchased_on,
        "Ticket Type" as ticket_type,
        "Ticket Subject" as ticket_subject,
        "Ticket Description" as ticket_description,
        "Ticket Status" as ticket_status,
        nullif(resolution, '') as resolution,
        "Ticket Priority" as ticket_priority,
        "Ticket Channel" as ticket_channel,
        try_cast("First Response Time" as timestamp) as first_response_at,
        try_cast("Time to Resolution" as timestamp) as resolved_at,
        try_cast("Customer Satisfaction Rating" as double) as satisfaction_rating

    from source

),

final as (

    select * from renamed

)

select * from final
